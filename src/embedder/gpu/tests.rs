//! Each kernel against plain loops in double precision, on whatever GPU there is.

use cubecl::wgpu::{AutoGraphicsApi, RuntimeOptions, WgpuDevice, try_init_setup};
use std::sync::LazyLock;

use super::super::plain::{convolution as plain, error, geometry, numbers};
use super::super::table::Geometry;
use super::product::Packing;
use super::*;

/// What one sum of rounded products may differ by, relative to the largest.
const TOLERANCE: f64 = 1e-5;

fn client() -> Client {
    static DEVICE: LazyLock<WgpuDevice> = LazyLock::new(|| {
        let device = WgpuDevice::default();
        try_init_setup::<AutoGraphicsApi>(&device, RuntimeOptions::default()).expect("a GPU");
        device
    });
    Device::Wgpu(DEVICE.clone()).client()
}

fn read(client: &Client, buffer: &Buffer) -> Vec<f32> {
    let bytes = client.read_one(buffer.clone().into_handle()).expect("results");
    let numbers = bytes.chunks_exact(size_of::<f32>());
    numbers.map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[test]
#[ignore = "needs a GPU, which `cargo xtask test` finds in Chromium's Vulkan driver"]
fn products_are_sums_of_runs() {
    let client = &client();
    for (seed, positions) in [1usize, 5, 8, 31, 70].into_iter().enumerate() {
        let [runs, length, outputs, planes] = [1 + seed % 2, 4 + 8 * seed, 128 << (seed % 2), 3];
        let [across, full] = [3, if runs == 1 { 3 } else { 2 }];
        let activation = if seed % 2 == 0 { Activation::Linear } else { Activation::Relu };
        let inputs = Inputs { columns: 4, line: 100, column: 24, run: 52 };
        let plane = (positions.div_ceil(4) * inputs.line + inputs.run + length).next_multiple_of(4);
        let depth = runs * length;
        let [x, weights, bias] = [planes * plane, planes * depth * outputs, planes * outputs]
            .map(|n| numbers(n as u64, n));
        let mut packing = Packing::new([runs, length], outputs);
        for p in 0..planes {
            let used = if p % across < full { depth } else { length };
            let weight = |d, o| weights[(p * depth + d) * outputs + o];
            packing.plane(used, weight, &bias[p * outputs..][..outputs]);
        }
        let product = packing.finish(client, [across, full], activation);
        let found = product.apply(client, positions, &Buffer::from(client, &x), inputs);
        let mut wanted = Vec::new();
        for (p, position, o) in (0..planes * positions * outputs)
            .map(|i| (i / (positions * outputs), i / outputs % positions, i % outputs))
        {
            let first = p * plane + position / 4 * inputs.line + position % 4 * inputs.column;
            let used = if p % across < full { depth } else { length };
            let terms = (0..used).map(|d| {
                let value = x[first + d / length * inputs.run + d % length];
                f64::from(value) * f64::from(weights[(p * depth + d) * outputs + o])
            });
            let sum = terms.sum::<f64>() + f64::from(bias[p * outputs + o]);
            wanted.push(if activation == Activation::Relu { sum.max(0.0) } else { sum });
        }
        let error = error(read(client, &found), &wanted);
        assert!(error < TOLERANCE, "{positions} positions, {runs} runs: {error:e}");
    }
}

/// A method of convolution against [`plain`], on three images at once.
#[track_caller]
fn check(
    convolve: impl Fn(&Client, Kernel, Map) -> Map,
    geometry: Geometry,
    [channels, out]: [usize; 2],
    size: [usize; 2],
) {
    const IMAGES: usize = 3;
    let client = &client();
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let [weight, bias] = [numbers(4, out * channels * taps), numbers(5, out)];
    let kernel = Kernel { weight: &weight, bias: &bias, geometry };
    let length = size[0] * size[1] * channels;
    let x = numbers(6, IMAGES * length);
    let map = Map { values: Buffer::from(client, &x), images: IMAGES, size, channels };
    let y = convolve(client, kernel, map);
    assert_eq!((y.images, y.size, y.channels), (IMAGES, geometry.output_size(size), out));
    let wanted: Vec<f64> = x.chunks(length).flat_map(|x| plain(kernel, x, size)).collect();
    let error = error(read(client, &y.values), &wanted);
    assert!(error < TOLERANCE, "{geometry:?} {channels} to {out}, {size:?}: {error:e}");
}

#[test]
#[ignore = "needs a GPU, which `cargo xtask test` finds in Chromium's Vulkan driver"]
fn the_first_convolution_is_convolution() {
    // Its images come as planes.
    let columns = |client: &Client, kernel: Kernel, x: Map| {
        let values = read(client, &x.values);
        let pixels = x.size[0] * x.size[1];
        let planes: Vec<f32> = values
            .chunks(pixels * x.channels)
            .flat_map(|image| (0..image.len()).map(|i| image[i % pixels * x.channels + i / pixels]))
            .collect();
        Columns::new(client, kernel).apply(client, &Buffer::from(client, &planes), x.size)
    };
    check(columns, geometry([5, 5], [1, 2], [2, 2]), [1, 128], [7, 14]);
    check(columns, geometry([5, 5], [1, 2], [2, 2]), [3, 128], [6, 9]);
    check(columns, geometry([5, 3], [1, 1], [2, 1]), [2, 128], [5, 4]);
}

#[test]
#[ignore = "needs a GPU, which `cargo xtask test` finds in Chromium's Vulkan driver"]
fn convolution_in_runs_is_convolution() {
    let runs =
        |client: &Client, kernel: Kernel, x: Map| Runs::new(client, kernel).apply(client, &x);
    check(runs, geometry([2, 1], [2, 1], [0, 0]), [8, 128], [6, 5]);
    check(runs, geometry([2, 2], [2, 2], [0, 0]), [4, 256], [8, 8]);
    check(runs, geometry([1, 1], [1, 1], [0, 0]), [12, 128], [1, 1]);
}

#[test]
#[ignore = "needs a GPU, which `cargo xtask test` finds in Chromium's Vulkan driver"]
fn filtering_in_tiles_is_convolution() {
    let tiles =
        |client: &Client, kernel: Kernel, x: Map| Tiles::new(client, kernel).apply(client, &x);
    check(tiles, geometry([5, 5], [1, 2], [2, 2]), [4, 128], [4, 8]);
    check(tiles, geometry([5, 5], [1, 2], [2, 2]), [8, 128], [12, 24]);
    check(tiles, geometry([5, 3], [1, 2], [2, 1]), [4, 128], [8, 16]);
    check(tiles, geometry([5, 5], [1, 1], [2, 2]), [4, 128], [8, 4]);
    check(tiles, geometry([5, 2], [1, 1], [2, 0]), [4, 128], [4, 9]);
}

#[test]
#[ignore = "needs a GPU, which `cargo xtask test` finds in Chromium's Vulkan driver"]
fn the_mean_is_over_the_pixels() {
    let client = &client();
    let (images, size, channels) = (3, [2, 5], 36);
    let pixels = size[0] * size[1];
    let x = numbers(7, images * pixels * channels);
    let map = Map { values: Buffer::from(client, &x), images, size, channels };
    let sum = |image, channel| -> f64 {
        let values = x[image * pixels * channels..][..pixels * channels].iter();
        values.skip(channel).step_by(channels).map(|v| f64::from(*v)).sum()
    };
    let wanted: Vec<f64> =
        (0..images * channels).map(|i| sum(i / channels, i % channels) / pixels as f64).collect();
    assert!(error(read(client, &mean(client, &map)), &wanted) < TOLERANCE);
}
