use super::*;

fn labels(n: usize, every: usize) -> Vec<bool> {
    (0..n).map(|i| i % every == 0).collect()
}

fn per_fold(folds: &[usize], wanted: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut counts = vec![0; FOLDS];
    folds.iter().enumerate().filter(|(i, _)| wanted(*i)).for_each(|(_, f)| counts[*f] += 1);
    counts
}

#[test]
fn folds_are_stratified_and_seeded() {
    let mitotic = labels(103, 9);
    let a = folds(&mitotic, None, FOLDS, 1).expect("folds");
    assert_eq!(a, folds(&mitotic, None, FOLDS, 1).expect("folds"));
    assert_ne!(a, folds(&mitotic, None, FOLDS, 2).expect("folds"));
    let spread = |counts: Vec<usize>| {
        counts.iter().max().copied().unwrap_or(0) - counts.iter().min().copied().unwrap_or(0)
    };
    assert!(spread(per_fold(&a, |_| true)) <= 1);
    assert!(spread(per_fold(&a, |i| mitotic[i])) <= 1);
}

#[test]
fn groups_stay_whole_and_positives_are_balanced() {
    let mitotic = labels(230, 10);
    let groups: Vec<usize> = (0..230).map(|i| i / 10 * 7).collect();
    let folds = folds(&mitotic, Some(&groups), FOLDS, 3).expect("folds");
    for i in 0..230 {
        for j in 0..230 {
            assert!(groups[i] != groups[j] || folds[i] == folds[j]);
        }
    }
    let mut counts = per_fold(&folds, |i| mitotic[i]);
    counts.sort_unstable();
    assert_eq!(counts, [4, 4, 5, 5, 5]);
}

#[test]
fn too_few_cells_or_groups_are_refused() {
    assert!(folds(&[], None, FOLDS, 1).is_err());
    assert!(folds(&[true, false, false], None, FOLDS, 1).is_err());
    assert!(folds(&labels(20, 4), Some(&[0; 20]), FOLDS, 1).is_err());
    // All mitotic cells in one group: when it is held out, none is left to train on.
    let mitotic: Vec<bool> = (0..20).map(|i| i < 5).collect();
    let groups: Vec<usize> = (0..20).map(|i| i / 5).collect();
    assert!(folds(&mitotic, Some(&groups), FOLDS, 1).is_err());
    assert!(folds(&[true, true, false, false], None, FOLDS, 1).is_ok());
}

fn unit_vectors(n: usize, dim: usize, mitotic: &[bool], shift: f32) -> Vec<Vec<f32>> {
    use rand::Rng;
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let row = |i: usize| {
        let shift = if mitotic[i] { shift } else { 0.0 };
        let x: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0) + shift).collect();
        let norm = x.iter().map(|v| v * v).sum::<f32>().sqrt();
        x.iter().map(|v| v / norm).collect()
    };
    (0..n).map(row).collect()
}

#[test]
fn search_is_repeatable_and_honest() {
    let mitotic = labels(120, 5);
    let known = Labelled { features: unit_vectors(120, 6, &mitotic, 0.8), mitotic };
    let beside = Labelled::default();
    let groups: Vec<usize> = (0..120).map(|i| i / 6).collect();
    for groups in [None, Some(groups.as_slice())] {
        let found = search(&known, &beside, groups, 4).expect("search");
        assert_eq!(found, search(&known, &beside, groups, 4).expect("search"));
        let pooled = Confusion::count(&found.decision_values, &known.mitotic, 0.0).mcc();
        assert_eq!(pooled, found.best.mcc);
        assert!(found.best.mcc > 0.4, "{:?}", found.best);
        assert_eq!(found.grid.len(), C_GRID.len() * GAMMA_GRID.len());
        let highest = found.grid.iter().map(|point| point.mcc).fold(0.0, f64::max);
        let mut good = found.grid.iter().filter(|point| point.mcc >= highest - TOLERANCE);
        assert!(found.best.mcc >= highest - TOLERANCE);
        assert!(good.all(|point| { (found.best.gamma, found.best.c) <= (point.gamma, point.c) }));
    }
}

#[test]
fn cells_beside_are_learned_from_and_never_judged() {
    let mitotic = labels(60, 5);
    let known = Labelled { features: unit_vectors(60, 6, &mitotic, 0.1), mitotic };
    let alone = search(&known, &Labelled::default(), None, 4).expect("search");
    // The same cells again, so that the answer to each is known whatever fold is left out.
    let told = search(&known, &known, None, 4).expect("search");
    assert_eq!(told.decision_values.len(), 60);
    assert!(alone.best.mcc < 0.5, "{:?}", alone.best);
    assert!(told.best.mcc > 0.95, "{:?}", told.best);
    let folds: Vec<usize> = (0..60).map(|i| i % 3).collect();
    let asked: Vec<(usize, &[f32])> =
        folds.iter().copied().zip(known.features.iter().map(Vec::as_slice)).collect();
    let values = out_of_fold(&known, &known, &folds, &asked, told.best).expect("values");
    assert_eq!(values.len(), 60);
    assert!(Confusion::count(&values, &known.mitotic, 0.0).mcc() > 0.95);
}

#[test]
fn a_machine_is_asked_only_what_is_of_its_fold() {
    let mitotic = labels(60, 5);
    let known = Labelled { features: unit_vectors(60, 6, &mitotic, 0.1), mitotic };
    let folds: Vec<usize> = (0..60).map(|i| i % 3).collect();
    let nothing = Labelled::default();
    let best = search(&known, &nothing, None, 4).expect("search").best;
    let cell = known.features[7].as_slice();
    let all = [(0, cell), (1, cell), (2, cell)];
    let values = out_of_fold(&known, &nothing, &folds, &all, best).expect("values");
    for (fold, value) in values.iter().enumerate() {
        let rows = (0..60).filter(|i| folds[*i] != fold);
        let (features, mitotic): (Vec<_>, Vec<_>) =
            rows.map(|i| (known.features[i].clone(), known.mitotic[i])).unzip();
        let svm = Svm::fit(&features, &mitotic, best.c, best.gamma).expect("fit");
        assert!((svm.decision_value(cell) - value).abs() < 5e-3, "fold {fold}");
    }
}

#[test]
fn platt_minimises_the_cross_entropy() {
    let values = [-2.0, -1.2, -0.7, -0.1, 0.2, 0.3, 1.1, 2.5];
    let mitotic = [false, false, true, false, true, false, true, true];
    let fitted = platt(&values, &mitotic).expect("fit");
    let (high, low) = (5.0 / 6.0, 1.0 / 6.0);
    let loss = |at: Calibration| -> f64 {
        let terms = values.iter().zip(mitotic).map(|(f, m)| {
            let t = if m { high } else { low };
            let p = at.probability(*f);
            -t * p.ln() - (1.0 - t) * (1.0 - p).ln()
        });
        terms.sum()
    };
    let (mut best, mut best_loss) = (Calibration { a: 0.0, b: 0.0 }, f64::INFINITY);
    for i in -300..=300 {
        for j in -300..=300 {
            let at = Calibration { a: f64::from(i) / 100.0, b: f64::from(j) / 100.0 };
            if loss(at) < best_loss {
                (best, best_loss) = (at, loss(at));
            }
        }
    }
    assert!(loss(fitted) <= best_loss);
    assert!((fitted.a - best.a).abs() < 0.02 && (fitted.b - best.b).abs() < 0.02, "{fitted:?}");
}

#[test]
fn platt_survives_extremes() {
    for scale in [1e-6, 1e6] {
        let values = [-3.0 * scale, -2.0 * scale, 2.0 * scale, 3.0 * scale];
        let fitted = platt(&values, &[false, false, true, true]).expect("fit");
        assert!(fitted.a.is_finite() && fitted.b.is_finite() && fitted.a < 0.0, "{fitted:?}");
    }
    assert!(platt(&[1.0, 2.0], &[true, true]).is_err());
    assert!(platt(&[1.0], &[true, false]).is_err());
    assert!(platt(&[f64::NAN, 1.0], &[true, false]).is_err());
    assert!(platt(&[], &[]).is_err());
}

#[test]
fn a_fold_is_decided_as_the_final_fit_would() {
    let mitotic = labels(150, 5);
    let samples = unit_vectors(150, 16, &mitotic, 0.4);
    let scale = Svm::scale_gamma(&samples).expect("gamma");
    let folds: Vec<usize> = (0..150).map(|i| i % 4).collect();
    let all = Labelled { features: samples.clone(), mitotic: mitotic.clone() };
    let distances = Distances::of(&all).expect("few cells");
    let train: Vec<usize> = (0..150).filter(|i| folds[*i] != 1).collect();
    let rows: Vec<Vec<f32>> = train.iter().map(|i| samples[*i].clone()).collect();
    let classes: Vec<bool> = train.iter().map(|i| mitotic[*i]).collect();
    for (c, gamma) in [(0.1, scale / 16.0), (1.0, scale), (10.0, scale * 4.0)] {
        let machine = without(1, &folds, &distances.kernel(gamma), c).expect("a machine");
        let svm = Svm::fit(&rows, &classes, c, gamma).expect("fit");
        for sample in &all.features {
            let (ours, theirs) = (machine.decision_value(sample), svm.decision_value(sample));
            assert!((ours - theirs).abs() < 5e-3, "{ours} {theirs}");
        }
    }
}

#[test]
fn a_machine_of_one_class_is_refused() {
    let all = Labelled { features: vec![vec![0.0], vec![1.0]], mitotic: vec![true, true] };
    let kernel = Distances::of(&all).expect("two cells").kernel(1.0);
    assert!(kernel.machine(vec![0, 1], 1.0).is_err());
    assert!(kernel.machine(vec![0, 1], f64::NAN).is_err());
}
