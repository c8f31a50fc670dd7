//! Feature maps on the GPU.

use cubecl::client::Client;

use super::buffer::Buffer;

/// Images' features with the channels side by side: `[images, height, width, channels]`.
#[derive(Debug)]
pub struct Map {
    pub values: Buffer,
    pub images: usize,
    /// Height and width.
    pub size: [usize; 2],
    pub channels: usize,
}

impl Map {
    /// Room for features, not initialised.
    pub fn new(client: &Client, images: usize, size: [usize; 2], channels: usize) -> Self {
        let values = Buffer::new(client, images * size[0] * size[1] * channels);
        Self { values, images, size, channels }
    }
}
