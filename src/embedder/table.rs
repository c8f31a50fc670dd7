//! Table 1 of the paper: the shapes of the network's layers, as printed and without dead columns.
//!
//! Invariant: both forms are the same function, up to rounding.

/// Length of an embedding.
pub const EMBEDDING: usize = 128;

/// Trainable parameters of the network.
pub const PARAMETERS: usize = 2_338_560;

/// Channels of every convolution's output.
pub(super) const WIDTH: usize = 128;

/// One convolution: kernel, stride and padding as height x width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Zero padding above and below, left and right.
    pub padding: [usize; 2],
}

impl Geometry {
    /// Height and width of the output for those of the input.
    pub fn output_size(&self, input: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            (input[axis] + 2 * self.padding[axis] - self.kernel[axis]) / self.stride[axis] + 1
        })
    }
}

const fn layer(kernel: [usize; 2], stride: usize, padding: [usize; 2]) -> Geometry {
    Geometry { kernel, stride: [stride, stride], padding }
}

/// The eleven convolutions of Table 1 as printed.
pub const TABLE_1: [Geometry; 11] = [
    layer([5, 5], 1, [2, 2]),
    layer([2, 1], 2, [0, 0]),
    layer([5, 5], 1, [2, 2]),
    layer([2, 1], 2, [0, 0]),
    layer([5, 5], 1, [2, 2]),
    layer([2, 1], 2, [0, 0]),
    layer([5, 3], 1, [2, 1]),
    layer([2, 1], 2, [0, 0]),
    layer([5, 5], 1, [2, 2]),
    layer([2, 2], 2, [0, 0]),
    layer([5, 5], 1, [2, 2]),
];

/// Sizes of the dense layers, input first.
pub(super) const DENSE: [usize; 5] = [WIDTH, 512, 256, 128, EMBEDDING];

/// The same function with about half the work.
///
/// A kernel one column wide with stride 2 reads only even columns, so the layer before it need
/// compute no others: it takes the horizontal stride over.
pub fn without_dead_columns(mut table: [Geometry; 11]) -> [Geometry; 11] {
    for i in 1..table.len() {
        let reader = table[i];
        if reader.kernel[1] == 1 && reader.padding[1] == 0 {
            table[i - 1].stride[1] *= reader.stride[1];
            table[i].stride[1] = 1;
        }
    }
    table
}
