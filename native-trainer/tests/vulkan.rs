//! Training through Vulkan follows the losses of training on the CPU.
//!
//! `cargo xtask test` runs it on the software driver that comes with Chromium.

mod common;

use burn::tensor::Device;
use common::data;
use native_trainer::device::{Choice, open};
use native_trainer::preset::{Preset, PresetName};
use native_trainer::sampler::{BatchSize, StratifiedSampler};
use native_trainer::samples::prepare_all;
use native_trainer::table::Table;
use native_trainer::training::{Plan, train};
use tempfile::TempDir;

/// Optimiser steps: the second's loss tells of the gradients too. AdaGrad's first update has the size
/// of the rate whatever the gradient's, so later losses tell more and more of rounding.
const STEPS: usize = 2;

/// Share by which losses may differ: devices round other sums.
const TOLERANCE: f64 = 1e-4;

/// An emulated GPU takes seconds an image.
const BATCH: BatchSize = BatchSize { mitotic: 2, interphase: 2, neighbours: 0 };

/// The losses of the first steps of preset `paper`.
fn losses(device: Device) -> Vec<f64> {
    let preset = Preset { batch: BATCH, steps: STEPS, ..PresetName::Paper.preset() };
    let (_fields, path) = data();
    let table = Table::open(&path).expect("the table");
    let samples = prepare_all(&table, &preset.preprocess).expect("cells");
    let labels = table.labels();
    let specimens = table.specimens();
    let sampler = StratifiedSampler::new(&labels, &specimens, BATCH, 1).expect("enough cells");
    let folder = TempDir::new().expect("a temporary folder");
    let plan = Plan {
        seed: 1,
        device,
        checkpoint: &folder.path().join("checkpoint.safetensors"),
        checkpoint_every: STEPS,
        run: "losses".into(),
        resume: false,
        start: None,
    };
    let trained = train(&preset, &plan, &samples, &labels, &sampler, &mut |_, _| ());
    trained.expect("it trains").steps.iter().map(|step| step.loss).collect()
}

#[test]
#[ignore = "needs a Vulkan driver, which `cargo xtask test` finds beside Chromium"]
fn losses_are_those_of_the_cpu() {
    let (gpu, adapter) = open(Choice::Vulkan).expect("a Vulkan driver");
    let (cpu, _) = open(Choice::Cpu).expect("the CPU");
    let (ours, theirs) = (losses(gpu.for_burn()), losses(cpu.for_burn()));
    println!("{adapter}: {ours:?}, CPU: {theirs:?}");
    assert_eq!(ours.len(), STEPS);
    assert!(theirs.windows(2).all(|pair| pair[0] != pair[1]), "nothing was learned: {theirs:?}");
    for (step, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert!(*theirs > 0.0, "step {step} has no active triplet");
        assert!((ours - theirs).abs() <= TOLERANCE * theirs, "step {step}: {ours} for {theirs}");
    }
}
