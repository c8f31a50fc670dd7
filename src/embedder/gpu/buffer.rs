//! Numbers in the GPU's memory.

use cubecl::client::Client;
use cubecl::prelude::*;
use cubecl::server::Handle;

/// Numbers in the GPU's memory, which goes back to its pool with the last user.
#[derive(Debug, Clone)]
pub struct Buffer {
    handle: Handle,
    length: usize,
}

impl Buffer {
    /// Room for numbers, not initialised.
    pub fn new(client: &Client, length: usize) -> Self {
        Self { handle: client.empty(length * size_of::<f32>()), length }
    }

    /// A copy of these numbers.
    pub fn from(client: &Client, values: &[f32]) -> Self {
        Self { handle: client.create_from_slice(f32::as_bytes(values)), length: values.len() }
    }

    /// Number of numbers.
    pub fn len(&self) -> usize {
        self.length
    }

    /// As an argument of a kernel that reads `vector` numbers at once.
    pub fn argument(&self, vector: usize) -> BufferArg {
        // SAFETY: the memory holds that many numbers.
        unsafe { BufferArg::from_raw_parts(self.handle.clone(), self.length / vector) }
    }

    /// For reading back.
    pub fn into_handle(self) -> Handle {
        self.handle
    }
}
