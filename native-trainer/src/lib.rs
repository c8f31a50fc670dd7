//! The native trainer of mitoscope: from a cell table to a model file.
//!
//! In reading order: [`table`] and [`samples`] (which cells), [`preset`] (how to train), [`sampler`],
//! [`miner`], [`loss`] (what to learn from), [`network`], [`convolution`], [`training`] (the loop), [`course`],
//! [`embedded`], [`fitting`], [`judge`], [`svm_search`], [`limits`] and [`evaluation`] (the classifier and
//! what it is worth); then
//! [`protocol`], [`reproduction`] and [`report`] (the paper's experiments), with [`neighbours`],
//! [`descriptors`] and [`bootstrap`]. [`simulation`] makes fields of its own, [`inference`] embeds many
//! cells. [`memory`] is for programs to call first.

pub mod ablation;
pub mod augmentation;
pub mod baseline;
pub mod bootstrap;
pub mod checkpoint;
pub mod contact_sheet;
pub mod contrast;
pub mod convolution;
pub mod course;
pub mod cross_fitting;
pub mod descriptors;
pub mod device;
pub mod embedded;
pub mod evaluation;
pub mod features;
pub mod files;
pub mod finished;
pub mod fitting;
pub mod found;
pub mod head_ablation;
pub mod inference;
pub mod judge;
pub mod limits;
pub mod loss;
pub mod memory;
pub mod metrics;
pub mod miner;
pub mod neighbours;
pub mod network;
pub mod normalisation;
pub mod operating_points;
pub mod preset;
pub mod protocol;
pub mod reliability;
pub mod report;
pub mod reproduction;
pub mod sampler;
pub mod samples;
pub mod simulated;
pub mod simulation;
pub mod svm_search;
pub mod table;
pub mod training;
pub mod transfer;
