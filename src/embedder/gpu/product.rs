//! Products of positions and weights: the one kernel where nearly all multiplications happen.
//!
//! As on the CPU, what an output reads is one run of numbers for each row of a kernel, and a layer that
//! is filtered in tiles is one product for each point: a plane.
//!
//! Invariant: all lengths and distances are multiples of 4, because numbers are read in fours; the
//! number of outputs is a multiple of 128, so that only positions need a check.

use cubecl::client::Client;
use cubecl::prelude::*;

use super::super::kernel::Activation;
use super::buffer::Buffer;

/// Numbers that are read at once.
const FOUR: usize = 4;

/// Units of a cube: across the outputs and down the positions.
const UNITS: [usize; 2] = [16, 4];

/// What a unit computes: positions, and fours of outputs. 64 sums for 16 reads, which a unit's registers
/// still hold.
const TILE: [usize; 2] = [8, 2];

/// Outputs of a cube.
pub const OUTPUTS: usize = UNITS[0] * TILE[1] * FOUR;

/// Where the inputs lie: distances in numbers.
#[derive(Debug, Clone, Copy)]
pub struct Inputs {
    /// Positions on a line.
    pub columns: usize,
    /// From line to line.
    pub line: usize,
    /// From position to position on a line.
    pub column: usize,
    /// From run to run of one position.
    pub run: usize,
}

/// Weights on the GPU, of each plane `[runs, length, out]`, with a bias each.
#[derive(Debug)]
pub struct Product {
    /// Runs of a position, and numbers of a run.
    runs: [usize; 2],
    /// Planes that lie side by side, of which only the first `full` have more than one run.
    across: usize,
    full: usize,
    planes: usize,
    outputs: usize,
    weights: Buffer,
    bias: Buffer,
    activation: Activation,
}

/// Weights on their way to the GPU.
#[derive(Debug)]
pub struct Packing {
    runs: [usize; 2],
    outputs: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Packing {
    /// Room for planes of `runs` runs of `length` numbers each.
    pub fn new([runs, length]: [usize; 2], outputs: usize) -> Self {
        Self { runs: [runs, length], outputs, weights: Vec::new(), bias: Vec::new() }
    }

    /// Adds a plane with the first `depth` numbers of `weight(depth, output)`.
    pub fn plane(&mut self, depth: usize, weight: impl Fn(usize, usize) -> f32, bias: &[f32]) {
        let [runs, length] = self.runs;
        let end = self.weights.len() + runs * length * self.outputs;
        let rows = (0..depth).flat_map(|d| (0..self.outputs).map(move |o| (d, o)));
        self.weights.extend(rows.map(|(d, o)| weight(d, o)));
        self.weights.resize(end, 0.0);
        self.bias.extend_from_slice(bias);
    }

    /// Puts the planes on the GPU, in rows of `across`, of which only `full` use more than one run.
    pub fn finish(
        self,
        client: &Client,
        [across, full]: [usize; 2],
        activation: Activation,
    ) -> Product {
        let Self { runs, outputs, weights, bias } = self;
        let planes = bias.len() / outputs;
        let [weights, bias] = [weights, bias].map(|values| Buffer::from(client, &values));
        Product { runs, across, full, planes, outputs, weights, bias, activation }
    }
}

impl Product {
    /// One plane.
    pub fn new(
        client: &Client,
        [runs, length]: [usize; 2],
        weight: impl Fn(usize, usize) -> f32,
        bias: &[f32],
        activation: Activation,
    ) -> Self {
        let mut packing = Packing::new([runs, length], bias.len());
        packing.plane(runs * length, weight, bias);
        packing.finish(client, [1, 1], activation)
    }

    /// Computes that many positions of every plane: `[planes, positions, out]`.
    pub fn apply(&self, client: &Client, positions: usize, x: &Buffer, inputs: Inputs) -> Buffer {
        let y = Buffer::new(client, self.planes * positions * self.outputs);
        let Self { runs: [runs, length], outputs, .. } = *self;
        let Inputs { columns, line, column, run } = inputs;
        let fours = |buffer: &Buffer| buffer.argument(FOUR);
        let count = CubeCount::Static(
            (outputs / OUTPUTS) as u32,
            positions.div_ceil(UNITS[1] * TILE[0]) as u32,
            self.planes as u32,
        );
        let shape = ShapeLaunch::new(
            positions,
            columns,
            line / FOUR,
            column / FOUR,
            run / FOUR,
            runs,
            length / FOUR,
            outputs / FOUR,
            x.len() / FOUR / self.planes,
            self.across,
            self.full,
        );
        // SAFETY: the indices stay inside the buffers: positions are checked, and the lengths of the
        // others follow from the same shape.
        unsafe {
            product::launch_unchecked(
                client,
                count,
                CubeDim::new_2d(UNITS[0] as u32, UNITS[1] as u32),
                FOUR,
                fours(x),
                fours(&self.weights),
                fours(&self.bias),
                fours(&y),
                shape,
                self.activation,
            );
        }
        y
    }
}

/// The numbers of a launch, with lengths and distances in fours.
#[derive(CubeLaunch, CubeType)]
struct Shape {
    positions: usize,
    columns: usize,
    line: usize,
    column: usize,
    run: usize,
    runs: usize,
    length: usize,
    outputs: usize,
    plane: usize,
    across: usize,
    full: usize,
}

/// y = activation(x W + b), a tile of positions and outputs each unit.
#[cube(launch_unchecked)]
fn product<N: Size>(
    x: &[Vector<f32, N>],
    weights: &[Vector<f32, N>],
    bias: &[Vector<f32, N>],
    y: &mut [Vector<f32, N>],
    shape: Shape,
    #[comptime] activation: Activation,
) {
    let [rows, fours] = comptime!(TILE);
    let [wide, _] = comptime!(UNITS);
    let plane = CUBE_POS_Z as usize;
    let first = (CUBE_POS_Y * CUBE_DIM_Y + UNIT_POS_Y) as usize * rows;
    let output = CUBE_POS_X as usize * (wide * fours) + UNIT_POS_X as usize;
    let depth = shape.runs * shape.length * FOUR;
    let weights_at = plane * depth * shape.outputs + output;

    let mut places = Array::<usize>::new(rows);
    let mut sums = Array::<Vector<f32, N>>::new(rows * fours);
    #[unroll]
    for i in 0..rows {
        // Positions beyond the last repeat it and are not written.
        let position = select(first + i < shape.positions, first + i, shape.positions - 1);
        let line = position / shape.columns;
        let column = position - line * shape.columns;
        places[i] = plane * shape.plane + line * shape.line + column * shape.column;
        #[unroll]
        for j in 0..fours {
            sums[i * fours + j] = bias[plane * shape.outputs + output + j * wide];
        }
    }
    let runs = select(plane % shape.across < shape.full, shape.runs, 1);
    for run in 0..runs {
        for d in 0..shape.length {
            let mut values = Array::<Vector<f32, N>>::new(rows);
            #[unroll]
            for i in 0..rows {
                values[i] = x[places[i] + run * shape.run + d];
            }
            #[unroll]
            for lane in 0..FOUR {
                let row = weights_at + ((run * shape.length + d) * FOUR + lane) * shape.outputs;
                #[unroll]
                for j in 0..fours {
                    let weight = weights[row + j * wide];
                    #[unroll]
                    for i in 0..rows {
                        sums[i * fours + j] += Vector::new(values[i].extract(lane)) * weight;
                    }
                }
            }
        }
    }
    #[unroll]
    for i in 0..rows {
        let position = first + i;
        if position < shape.positions {
            #[unroll]
            for j in 0..fours {
                let sum = sums[i * fours + j];
                let at = (plane * shape.positions + position) * shape.outputs + output + j * wide;
                y[at] = match activation {
                    Activation::Linear => sum,
                    Activation::Relu => max(sum, Vector::new(0.0)),
                };
            }
        }
    }
}
