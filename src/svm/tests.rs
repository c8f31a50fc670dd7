use super::*;

#[test]
fn decision_value_is_the_kernel_sum() {
    let svm = Svm::new(0.5, 0.25, vec![2.0, -1.0], vec![0.0, 0.0, 1.0, 1.0], 2).expect("valid");
    let expected = 2.0 * (-0.5f64).exp() - (-0.5f64).exp() + 0.25;
    assert!((svm.decision_value(&[1.0, 0.0]) - expected).abs() < 1e-15);
    assert!(svm.decision_value(&[1.0]).is_nan());
    assert!(svm.decision_value(&[f32::NAN, 0.0]).is_nan());
}

#[test]
fn impossible_machines_are_refused() {
    for gamma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(Svm::new(gamma, 0.0, vec![1.0], vec![0.0], 1).is_err());
    }
    assert!(Svm::new(1.0, f64::NAN, vec![1.0], vec![0.0], 1).is_err());
    assert!(Svm::new(1.0, 0.0, vec![f64::NAN], vec![0.0], 1).is_err());
    assert!(Svm::new(1.0, 0.0, vec![1.0], vec![f32::INFINITY], 1).is_err());
    assert!(Svm::new(1.0, 0.0, vec![1.0], vec![0.0, 1.0], 1).is_err());
    assert!(Svm::new(1.0, 0.0, vec![], vec![], 1).is_err());
    assert!(Svm::new(1.0, 0.0, vec![1.0; 2], vec![], usize::MAX).is_err());
}

#[test]
fn unfit_samples_are_refused() {
    let refused = |samples: &[Vec<f32>], mitotic: &[bool], c: f64, gamma: f64| {
        let error = Svm::fit(samples, mitotic, c, gamma).expect_err("must be refused");
        assert_eq!(error.code(), "fit");
    };
    let two = [vec![0.0], vec![1.0]];
    refused(&[], &[], 1.0, 1.0);
    refused(&[vec![], vec![]], &[true, false], 1.0, 1.0);
    refused(&two, &[true], 1.0, 1.0);
    refused(&two, &[true, true], 1.0, 1.0);
    refused(&two, &[false, false], 1.0, 1.0);
    refused(&[vec![0.0], vec![f32::NAN]], &[true, false], 1.0, 1.0);
    refused(&[vec![0.0], vec![1.0, 2.0]], &[true, false], 1.0, 1.0);
    refused(&two, &[true, false], 0.0, 1.0);
    refused(&two, &[true, false], 1.0, f64::NAN);
}

#[test]
fn one_sample_of_each_class_is_enough() {
    let svm = Svm::fit(&[vec![0.0], vec![1.0]], &[true, false], 10.0, 1.0).expect("fits");
    assert!((svm.decision_value(&[0.0]) - 1.0).abs() < 1e-3);
    assert!((svm.decision_value(&[1.0]) + 1.0).abs() < 1e-3);
}

#[test]
fn features_beyond_the_number_of_samples_count() {
    let mut samples = vec![vec![0.0; 16]; 4];
    samples[0][15] = 1.0;
    samples[1][14] = 1.0;
    let svm = Svm::fit(&samples, &[true, true, false, false], 1e3, 1.0).expect("fits");
    assert!(svm.decision_value(&samples[0]) > 0.9);
    assert!(svm.decision_value(&samples[3]) < -0.9);
}

#[test]
fn equal_samples_of_both_classes_do_not_break_the_fit() {
    let samples = vec![vec![0.5, 0.5]; 6];
    let mitotic = [true, false, true, false, false, false];
    let svm = Svm::fit(&samples, &mitotic, 1.0, 1.0).expect("fits");
    assert!(svm.decision_value(&samples[0]).is_finite());
    assert!(Svm::scale_gamma(&samples).is_err());
}
