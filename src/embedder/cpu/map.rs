//! The memory that images are computed in: feature maps and what the transforms need.
//!
//! Invariant: a map's pixels lie row by row, a pixel's channels side by side; the border around them
//! stays zero, because only [`Map::inside`] is ever written.

use std::ops::{Deref, DerefMut};

/// Numbers of a cache line, which is also the widest vector.
const LINE: usize = 16;

/// Numbers that begin at a cache line.
#[derive(Debug)]
pub struct Buffer {
    values: Vec<f32>,
    start: usize,
    length: usize,
}

impl Buffer {
    /// `length` zeros.
    pub fn new(length: usize) -> Self {
        let values = vec![0.0f32; length + LINE];
        // Where the system cannot tell, the start is only less favourable.
        let start = values.as_ptr().align_offset(4 * LINE).min(LINE);
        Self { values, start, length }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.start..][..self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..][..self.length]
    }
}

/// Distance between rows or planes of at least `length` numbers: whole cache lines, and one more,
/// because rows a power of two apart would share cache sets.
pub fn apart(length: usize) -> usize {
    length.next_multiple_of(2 * LINE) + LINE
}

/// Where a Winograd convolution keeps its intermediate results; all convolutions share one.
#[derive(Debug)]
pub struct Scratch {
    /// Input rows at their vertical points.
    pub rows: Buffer,
    /// Tiles at their points, before the products.
    pub inputs: Buffer,
    /// The products.
    pub products: Buffer,
    /// One tile's products, horizontally transformed back.
    pub tile: Buffer,
}

impl Scratch {
    /// Numbers of `rows`, `inputs`, `products` and `tile`.
    pub fn new(sizes: [usize; 4]) -> Self {
        let [rows, inputs, products, tile] = sizes.map(Buffer::new);
        Self { rows, inputs, products, tile }
    }
}

/// One layer's input: `[height, width, channels]` within its zero padding.
#[derive(Debug)]
pub struct Map {
    /// Height and width without padding.
    pub size: [usize; 2],
    /// Numbers of a pixel.
    pub channels: usize,
    /// Distance between rows.
    pub pitch: usize,
    padding: [usize; 2],
    values: Buffer,
}

impl Map {
    /// Zeros; `padding` above and below, left and right.
    pub fn new(size: [usize; 2], channels: usize, padding: [usize; 2]) -> Self {
        let pitch = apart((size[1] + 2 * padding[1]) * channels);
        let values = Buffer::new((size[0] + 2 * padding[0]) * pitch);
        Self { size, channels, pitch, padding, values }
    }

    /// From the upper left corner of the padding on.
    pub fn padded(&self) -> &[f32] {
        &self.values
    }

    /// From the first pixel within the padding on.
    pub fn inside(&mut self) -> &mut [f32] {
        let start = self.padding[0] * self.pitch + self.padding[1] * self.channels;
        &mut self.values[start..]
    }
}
