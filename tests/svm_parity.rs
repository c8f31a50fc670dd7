//! The SVM gives what smartcore, LIBSVM and scikit-learn give on the same samples.

use libsvm_rs::predict::predict_values;
use libsvm_rs::train::svm_train;
use libsvm_rs::{KernelType, SvmNode, SvmParameterBuilder, SvmProblem, SvmType};
use mitoscope::svm::Svm;
use serde::Deserialize;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::svm::Kernels;
use smartcore::svm::svc::{SVC, SVCParameters};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    c: f64,
    gamma: serde_json::Value,
    resolved_gamma: f64,
    mitotic: Vec<bool>,
    samples: Vec<Vec<f32>>,
    decision_values: Vec<f64>,
}

fn golden() -> Vec<Case> {
    let golden: Golden =
        serde_json::from_str(include_str!("fixtures/svm_golden.json")).expect("golden values");
    golden.cases
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m })
}

fn decision_values(svm: &Svm, samples: &[Vec<f32>]) -> Vec<f64> {
    samples.iter().map(|x| svm.decision_value(x)).collect()
}

#[test]
fn scikit_learn_agrees() {
    for (i, case) in golden().iter().enumerate() {
        if case.gamma == "scale" {
            let gamma = Svm::scale_gamma(&case.samples).expect("gamma");
            assert!((gamma / case.resolved_gamma - 1.0).abs() < 1e-9, "{gamma}");
        }
        let svm = Svm::fit(&case.samples, &case.mitotic, case.c, case.resolved_gamma).expect("fit");
        let difference =
            largest_difference(&decision_values(&svm, &case.samples), &case.decision_values);
        println!("case {i}: {difference:.1e} from scikit-learn");
        assert!(difference < 1e-3, "case {i}: {difference}");
    }
}

fn nodes(x: &[f32]) -> Vec<SvmNode> {
    (1..).zip(x).map(|(index, v)| SvmNode { index, value: f64::from(*v) }).collect()
}

fn libsvm_decision_values(samples: &[Vec<f32>], mitotic: &[bool], c: f64, gamma: f64) -> Vec<f64> {
    let problem = SvmProblem {
        labels: mitotic.iter().map(|&m| if m { 1.0 } else { -1.0 }).collect(),
        instances: samples.iter().map(|x| nodes(x)).collect(),
    };
    let parameters = SvmParameterBuilder::new()
        .svm_type(SvmType::CSvc)
        .kernel_type(KernelType::Rbf)
        .gamma(gamma)
        .c(c)
        .eps(1e-8)
        .build()
        .expect("parameters");
    let model = svm_train(&problem, &parameters);
    let sign = if model.labels().first() == Some(&1) { 1.0 } else { -1.0 };
    let decide = |x: &Vec<f32>| {
        let mut value = [0.0];
        predict_values(&model, &nodes(x), &mut value);
        sign * value[0]
    };
    samples.iter().map(decide).collect()
}

/// Unit vectors of which the first `mitotic` lean to one side: a linear congruential sequence.
fn unit_vectors(n: usize, dim: usize, mitotic: usize, shift: f32) -> (Vec<Vec<f32>>, Vec<bool>) {
    let mut state = 7u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let samples = (0..n).map(|i| {
        let shift = if i < mitotic { shift } else { 0.0 };
        let x: Vec<f32> = (0..dim).map(|_| next() + shift).collect();
        let norm = x.iter().map(|v| v * v).sum::<f32>().sqrt();
        x.iter().map(|v| v / norm).collect()
    });
    (samples.collect(), (0..n).map(|i| i < mitotic).collect())
}

#[test]
fn libsvm_agrees() {
    for case in golden() {
        let ours =
            Svm::fit(&case.samples, &case.mitotic, case.c, case.resolved_gamma).expect("fit");
        let theirs =
            libsvm_decision_values(&case.samples, &case.mitotic, case.c, case.resolved_gamma);
        let difference = largest_difference(&decision_values(&ours, &case.samples), &theirs);
        println!("{difference:.1e} from LIBSVM");
        assert!(difference < 1e-3, "{difference}");
    }
}

#[test]
fn libsvm_agrees_on_embeddings() {
    let (samples, mitotic) = unit_vectors(300, 128, 40, 0.1);
    let scale = Svm::scale_gamma(&samples).expect("gamma");
    for c in [0.1, 1.0, 10.0, 100.0] {
        for gamma in [scale / 16.0, scale / 4.0, scale, scale * 4.0, scale * 16.0] {
            let start = std::time::Instant::now();
            let ours = Svm::fit(&samples, &mitotic, c, gamma).expect("fit");
            let time = start.elapsed();
            let theirs = libsvm_decision_values(&samples, &mitotic, c, gamma);
            let difference = largest_difference(&decision_values(&ours, &samples), &theirs);
            println!("C {c} gamma {gamma:.3}: {difference:.1e} from LIBSVM, {time:?}");
            assert!(difference < 1e-3, "C {c} gamma {gamma}: {difference}");
        }
    }
}

#[test]
fn smartcore_live_model_agrees() {
    #[derive(Deserialize)]
    struct Fitted {
        instances: Vec<Vec<f64>>,
        w: Vec<f64>,
        b: f64,
    }
    for case in golden().iter().filter(|case| case.samples.len() >= case.samples[0].len()) {
        let rows: Vec<Vec<f64>> =
            case.samples.iter().map(|x| x.iter().map(|v| f64::from(*v)).collect()).collect();
        let x = DenseMatrix::from_2d_vec(&rows).expect("matrix");
        let y: Vec<i32> = case.mitotic.iter().map(|&m| if m { 1 } else { -1 }).collect();
        let gamma = case.resolved_gamma;
        let parameters = SVCParameters::default()
            .with_epoch(100)
            .with_c(case.c)
            .with_tol(1e-6)
            .with_seed(Some(1))
            .with_kernel(Kernels::rbf().with_gamma(gamma));
        let live = SVC::fit(&x, &y, &parameters).expect("fit");
        let theirs = live.decision_function(&x).expect("decision values");

        let json = serde_json::to_value(&live).expect("serialised");
        let fitted: Fitted = serde_json::from_value(json).expect("fields");
        let dim = case.samples[0].len();
        let support = fitted.instances.iter().flatten().map(|v| *v as f32).collect();
        let taken = Svm::new(gamma, fitted.b, fitted.w, support, dim).expect("machine");
        let difference = largest_difference(&decision_values(&taken, &case.samples), &theirs);
        println!("{difference:.1e} between smartcore and its own numbers in Svm");
        assert!(difference < 1e-6, "{difference}");

        let ours = Svm::fit(&case.samples, &case.mitotic, case.c, gamma).expect("fit");
        let difference = largest_difference(&decision_values(&ours, &case.samples), &theirs);
        println!("{difference:.1e} between smartcore and Svm::fit");
        assert!(difference < 1e-3, "{difference}");
    }
}
