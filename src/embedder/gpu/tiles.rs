//! Convolution with 5-row kernels by minimal filtering in both directions: inputs to points, a product
//! for each point, points to outputs. The algebra is in [`points`](super::super::points).
//!
//! Invariant: a unit transforms one channel of one tile, so neighbours read and write neighbouring
//! numbers.

use cubecl::client::Client;
use cubecl::prelude::*;

use super::super::filter::{self, TILE};
use super::super::kernel::{Activation, Kernel};
use super::super::points::{DOWN, phases, transform};
use super::super::table::Geometry;
use super::buffer::Buffer;
use super::map::Map;
use super::product::{Inputs, Packing, Product};

/// Units of a cube.
const UNITS: u32 = 128;

/// A convolution with its ReLU, with a vertical stride of 1.
#[derive(Debug)]
pub struct Tiles {
    geometry: Geometry,
    /// Taps of each phase, not increasing.
    taps: Vec<usize>,
    product: Product,
}

impl Tiles {
    /// Transforms a kernel of height 5; the number of inputs is a multiple of 4, that of outputs of 128.
    pub fn new(client: &Client, kernel: Kernel) -> Self {
        let geometry = kernel.geometry;
        let [channels, out] = kernel.channels();
        let taps = phases(geometry.kernel[1], geometry.stride[1]);
        let [across, full] = [taps[0], taps[taps.len() - 1]].map(filter::points);
        let mut packing = Packing::new([taps.len(), channels], out);
        transform(kernel, |phases, weight, bias| packing.plane(phases * channels, weight, bias));
        let product = packing.finish(client, [across, full], Activation::Linear);
        Self { geometry, taps, product }
    }

    /// Convolves a map into one whose height and width are multiples of 4.
    pub fn apply(&self, client: &Client, x: &Map) -> Map {
        let size = self.geometry.output_size(x.size);
        let grid = size.map(|length| length / TILE);
        let tiles = x.images * grid[0] * grid[1];
        let points = self.to_points(client, x, grid);
        let phases = self.taps.len();
        let inputs =
            Inputs { columns: tiles, line: 0, column: phases * x.channels, run: x.channels };
        let products = self.product.apply(client, tiles, &points, inputs);
        let channels = products.len() / (self.points() * tiles);
        let y = Map::new(client, x.images, size, channels);
        // SAFETY: the kernel checks its tile; the sizes of the buffers follow from the same grid.
        unsafe {
            from_points::launch_unchecked(
                client,
                cubes(tiles * channels),
                CubeDim::new_1d(UNITS),
                products.argument(1),
                y.values.argument(1),
                GridLaunch::new(tiles, grid[0], grid[1], channels),
                filter::points(self.taps[0]),
            );
        }
        y
    }

    /// Vertical times horizontal points.
    fn points(&self) -> usize {
        DOWN * filter::points(self.taps[0])
    }

    /// `[points, tiles, phases, channels]`; points that a phase does not have are not written.
    fn to_points(&self, client: &Client, x: &Map, grid: [usize; 2]) -> Buffer {
        let tiles = x.images * grid[0] * grid[1];
        let numbers = tiles * x.channels;
        let points = Buffer::new(client, self.points() * self.taps.len() * numbers);
        // SAFETY: the kernel checks its tile and the input's edges.
        unsafe {
            to_points::launch_unchecked(
                client,
                cubes(numbers),
                CubeDim::new_1d(UNITS),
                x.values.argument(1),
                points.argument(1),
                GridLaunch::new(tiles, grid[0], grid[1], x.channels),
                x.size[0],
                x.size[1],
                self.geometry,
            );
        }
        points
    }
}

/// Cubes for that many units.
fn cubes(units: usize) -> CubeCount {
    CubeCount::Static(units.div_ceil(UNITS as usize) as u32, 1, 1)
}

/// Tiles of all images: down and across an image, of that many channels.
#[derive(CubeLaunch, CubeType)]
struct Grid {
    tiles: usize,
    down: usize,
    across: usize,
    channels: usize,
}

/// Horizontal points of a phase.
fn across(geometry: Geometry, phase: usize) -> usize {
    filter::points(phases(geometry.kernel[1], geometry.stride[1])[phase])
}

/// Bᵀ d B of each phase.
#[cube(launch_unchecked)]
fn to_points(
    x: &[f32],
    points: &mut [f32],
    grid: Grid,
    height: usize,
    width: usize,
    #[comptime] geometry: Geometry,
) {
    let unit = ABSOLUTE_POS;
    let channel = unit % grid.channels;
    let tile = unit / grid.channels;
    if tile >= grid.tiles {
        terminate!();
    }
    let image = tile / (grid.down * grid.across);
    let row = tile / grid.across % grid.down * TILE;
    let column = tile % grid.across * comptime!(TILE * geometry.stride[1]);
    let phases = comptime!(phases(geometry.kernel[1], geometry.stride[1]).len());
    let points_across = comptime!(across(geometry, 0));
    #[unroll]
    for phase in 0..phases {
        let own = comptime!(across(geometry, phase));
        let mut values = Array::<f32>::new(comptime!(DOWN * own));
        #[unroll]
        for h in 0..own {
            let padded = column + comptime!(phase + h * geometry.stride[1]);
            let mut lines = Array::<f32>::new(DOWN);
            #[unroll]
            for v in 0..DOWN {
                lines[v] = inside(
                    x,
                    image,
                    row + v,
                    padded,
                    channel,
                    height,
                    width,
                    grid.channels,
                    geometry.padding,
                );
            }
            #[unroll]
            for v in 0..DOWN {
                values[v * own + h] = combine(&lines, 0usize, 1usize, Matrix::Input, DOWN, v);
            }
        }
        #[unroll]
        for v in 0..DOWN {
            #[unroll]
            for h in 0..own {
                let point = comptime!(v * points_across + h);
                let at = ((point * grid.tiles + tile) * phases + phase) * grid.channels + channel;
                points[at] = combine(&values, comptime!(v * own), 1usize, Matrix::Input, own, h);
            }
        }
    }
}

/// ReLU(Aᵀ p A).
#[cube(launch_unchecked)]
fn from_points(points: &[f32], y: &mut [f32], grid: Grid, #[comptime] across: usize) {
    let unit = ABSOLUTE_POS;
    let channel = unit % grid.channels;
    let tile = unit / grid.channels;
    if tile >= grid.tiles {
        terminate!();
    }
    let mut values = Array::<f32>::new(comptime!(DOWN * TILE));
    #[unroll]
    for v in 0..DOWN {
        let mut lines = Array::<f32>::new(across);
        #[unroll]
        for h in 0..across {
            let point = comptime!(v * across + h);
            lines[h] = points[(point * grid.tiles + tile) * grid.channels + channel];
        }
        #[unroll]
        for column in 0..TILE {
            values[v * TILE + column] =
                combine(&lines, 0usize, 1usize, Matrix::Output, across, column);
        }
    }
    let first = tile / grid.across * TILE;
    let width = grid.across * TILE;
    let left = tile % grid.across * TILE;
    #[unroll]
    for row in 0..TILE {
        #[unroll]
        for column in 0..TILE {
            let sum = combine(&values, column, TILE, Matrix::Output, DOWN, row);
            let at = ((first + row) * width + left + column) * grid.channels + channel;
            y[at] = max(sum, 0.0);
        }
    }
}

/// A number of a map, or the zero around it.
#[cube]
pub fn inside(
    x: &[f32],
    image: usize,
    padded_row: usize,
    padded_column: usize,
    channel: usize,
    height: usize,
    width: usize,
    channels: usize,
    #[comptime] padding: [usize; 2],
) -> f32 {
    let [above, left] = padding;
    let within = padded_row >= above
        && padded_row < height + above
        && padded_column >= left
        && padded_column < width + left;
    let row = select(within, padded_row, above) - above;
    let column = select(within, padded_column, left) - left;
    let value = x[((image * height + row) * width + column) * channels + channel];
    select(within, value, 0.0)
}

/// The transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Matrix {
    /// Bᵀ.
    Input,
    /// Aᵀ.
    Output,
}

impl Matrix {
    /// A factor of the matrix for that many points.
    fn factor(self, points: usize, row: usize, column: usize) -> f32 {
        match (self, points) {
            (Self::Input, 4) => filter::input::<4>()[row][column],
            (Self::Input, 5) => filter::input::<5>()[row][column],
            (Self::Input, 6) => filter::input::<6>()[row][column],
            (Self::Input, 7) => filter::input::<7>()[row][column],
            (Self::Input, _) => filter::input::<8>()[row][column],
            (Self::Output, 4) => filter::output::<4>()[row][column],
            (Self::Output, 5) => filter::output::<5>()[row][column],
            (Self::Output, 6) => filter::output::<6>()[row][column],
            (Self::Output, 7) => filter::output::<7>()[row][column],
            (Self::Output, _) => filter::output::<8>()[row][column],
        }
    }
}

/// A row of a matrix times the numbers at `first`, `first + step`, ...; its zeros cost nothing.
#[cube]
fn combine(
    values: &Array<f32>,
    #[comptime] first: usize,
    #[comptime] step: usize,
    #[comptime] matrix: Matrix,
    #[comptime] points: usize,
    #[comptime] row: usize,
) -> f32 {
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..points {
        let factor = comptime!(matrix.factor(points, row, i));
        if comptime!(factor != 0.0) {
            sum += values[first + i * step] * factor;
        }
    }
    sum
}
