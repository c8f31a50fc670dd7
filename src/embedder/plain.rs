//! For tests: convolution as a plain loop in double precision, and numbers to try it on.

use super::kernel::Kernel;
use super::table::Geometry;
use noise::noise;

#[path = "../../tests/random/noise.rs"]
mod noise;

pub fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut draw = noise(seed);
    (0..count).map(|_| draw()).collect()
}

/// Largest difference, relative to the largest wanted value.
pub fn error(found: impl IntoIterator<Item = f32>, wanted: &[f64]) -> f64 {
    let size = wanted.iter().fold(0.0f64, |size, v| size.max(v.abs()));
    let mut count = 0;
    let differences = found.into_iter().zip(wanted).map(|(found, wanted)| {
        count += 1;
        (f64::from(found) - wanted).abs()
    });
    let largest =
        differences.fold(0.0, |largest, d| if d > largest || d.is_nan() { d } else { largest });
    assert_eq!(count, wanted.len());
    largest / size
}

/// A convolution with ReLU in double precision: `[height, width, out]`.
pub fn convolution(kernel: Kernel, x: &[f32], [height, width]: [usize; 2]) -> Vec<f64> {
    let Geometry { kernel: [kh, kw], stride, padding } = kernel.geometry;
    let [channels, out] = kernel.channels();
    let size = kernel.geometry.output_size([height, width]);
    let mut result = Vec::new();
    for (y, x0) in (0..size[0] * size[1]).map(|i| (i / size[1], i % size[1])) {
        for o in 0..out {
            let mut sum = f64::from(kernel.bias[o]);
            for (c, ky, kx) in (0..channels * kh * kw).map(|i| (i / (kh * kw), i / kw % kh, i % kw))
            {
                let row = (y * stride[0] + ky).wrapping_sub(padding[0]);
                let column = (x0 * stride[1] + kx).wrapping_sub(padding[1]);
                if row < height && column < width {
                    let value = x[(row * width + column) * channels + c];
                    let tap = kernel.weight[((o * channels + c) * kh + ky) * kw + kx];
                    sum += f64::from(value) * f64::from(tap);
                }
            }
            result.push(sum.max(0.0));
        }
    }
    result
}

pub fn geometry(kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Geometry {
    Geometry { kernel, stride, padding }
}
