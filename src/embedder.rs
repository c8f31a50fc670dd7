//! The embedding network of Table 1: a 128 x 128 cell becomes a unit vector of 128 numbers.
//!
//! Invariant: the network runs without its dead columns ([`without_dead_columns`]); the result is
//! that of the table as printed, up to rounding. `Embedder` computes with burn, on any device and in
//! training; [`cpu::CpuEmbedder`] and `gpu::GpuEmbedder` are the same network for inference, several
//! times faster.

pub mod cpu;
mod filter;
#[cfg(feature = "gpu")]
pub mod gpu;
mod kernel;
#[cfg(feature = "gpu")]
mod network;
#[cfg(test)]
mod plain;
mod points;
mod table;
mod weights;

#[cfg(feature = "gpu")]
pub use self::network::{Arithmetic, Convolution, Dense, Embedder, Stock, unit_rows};
pub use self::table::{EMBEDDING, Geometry, PARAMETERS, TABLE_1, without_dead_columns};
pub use self::weights::Weights;
