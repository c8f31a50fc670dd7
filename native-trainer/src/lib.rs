//! The native trainer of mitoscope: from a cell table to a model file.
//!
//! In reading order:
//! - which cells: [`table`], [`samples`], [`found`], [`simulation`] and [`simulated`], all together in [`course`];
//! - how to train: [`preset`], [`augmentation`], [`sampler`], [`miner`], [`loss`];
//! - training: [`network`], [`convolution`], [`normalisation`], [`training`], [`checkpoint`];
//! - the classifier: [`embedded`], [`svm_search`], [`judge`], [`cross_fitting`], [`operating_points`], [`limits`], all
//!   together in [`fitting`];
//! - what it is worth: [`metrics`], [`bootstrap`], [`reliability`] and [`contrast`] in [`evaluation`], beside
//!   [`baseline`] ([`features`], [`descriptors`], [`neighbours`]) and [`transfer`];
//! - what its parts are worth: [`ablation`], [`head_ablation`];
//! - the paper's experiments: [`protocol`], [`reproduction`], [`report`];
//! - for programs: [`device`], [`memory`], [`files`], [`finished`], [`inference`], [`contact_sheet`].

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
