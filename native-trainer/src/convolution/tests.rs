//! Both methods against plain f64 loops, for the convolution and its two gradients.

use mitoscope::embedder::Geometry;

use super::activation::{Activation, rectify_gradient, sums};
use super::method::Convolution;

/// Uniform numbers in [-1, 1).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next() as f64 / (1u64 << 52) as f64 - 1.0) as f32).collect()
    }
}

struct Case {
    x: [usize; 4],
    weight: [usize; 4],
    geometry: Geometry,
}

impl Case {
    fn new(
        x: [usize; 4],
        out: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Self {
        let geometry = Geometry { kernel, stride, padding };
        Self { x, weight: [out, x[1], kernel[0], kernel[1]], geometry }
    }

    /// Output, input gradient and weight gradient by plain loops.
    fn loops(&self, x: &[f32], weight: &[f32], bias: &[f32], gradient: &[f32]) -> [Vec<f64>; 3] {
        let [batch, channels, height, width] = self.x;
        let [out, _, kh, kw] = self.weight;
        let Geometry { stride, padding, .. } = self.geometry;
        let [_, _, oh, ow] = Convolution::new(self.x, self.weight, self.geometry).output_shape();
        let mut output = vec![0.0; batch * out * oh * ow];
        let mut dx = vec![0.0; x.len()];
        let mut dw = vec![0.0; weight.len()];
        for at in 0..output.len() {
            let (image, o, row, column) =
                (at / (out * oh * ow), at / (oh * ow) % out, at / ow % oh, at % ow);
            output[at] = f64::from(bias[o]);
            for tap in 0..channels * kh * kw {
                let (c, ky, kx) = (tap / (kh * kw), tap / kw % kh, tap % kw);
                let (y, z) = (row * stride[0] + ky, column * stride[1] + kx);
                let (Some(y), Some(z)) = (y.checked_sub(padding[0]), z.checked_sub(padding[1]))
                else {
                    continue;
                };
                if y >= height || z >= width {
                    continue;
                }
                let (i, w) = (
                    ((image * channels + c) * height + y) * width + z,
                    o * channels * kh * kw + tap,
                );
                output[at] += f64::from(x[i]) * f64::from(weight[w]);
                dx[i] += f64::from(weight[w]) * f64::from(gradient[at]);
                dw[w] += f64::from(x[i]) * f64::from(gradient[at]);
            }
        }
        [output, dx, dw]
    }

    /// Largest error of each operation, relative to the largest number of its result.
    fn errors(&self, noise: &mut Noise) -> [f64; 3] {
        let convolution = Convolution::new(self.x, self.weight, self.geometry);
        let x = noise.numbers(self.x.iter().product());
        let weight = noise.numbers(self.weight.iter().product());
        let bias = noise.numbers(self.weight[0]);
        let gradient = noise.numbers(convolution.output_shape().iter().product());
        let expected = self.loops(&x, &weight, &bias, &gradient);
        let found = [
            convolution.forward(&x, &weight, &bias, Activation::Identity),
            convolution.input_gradient(&weight, &gradient),
            convolution.weight_gradient(&x, &gradient),
        ];
        let mut errors = [0.0; 3];
        for (error, (expected, found)) in errors.iter_mut().zip(expected.iter().zip(&found)) {
            assert_eq!(expected.len(), found.len());
            let largest = expected.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
            let pairs = expected.iter().zip(found);
            *error = pairs.fold(0.0, |m: f64, (e, f)| m.max((e - f64::from(*f)).abs())) / largest;
            assert!(found.iter().all(|v| v.is_finite()));
        }
        errors
    }
}

#[track_caller]
fn agrees(case: &Case, noise: &mut Noise) {
    let errors = case.errors(noise);
    assert!(
        errors.iter().all(|e| *e < 2e-5),
        "x {:?}, weight {:?}, {:?}: {errors:?}",
        case.x,
        case.weight,
        case.geometry
    );
}

#[test]
fn agrees_with_plain_loops_for_random_shapes() {
    let mut noise = Noise(7);
    for round in 0..400 {
        // Every second case has the shape that is transformed.
        let transformed = round % 2 == 0;
        let kernel = [if transformed { 5 } else { 1 + noise.below(5) }, 1 + noise.below(5)];
        let stride = [if transformed { 1 } else { 1 + noise.below(3) }, 1 + noise.below(3)];
        let padding = [noise.below(kernel[0].min(4)), noise.below(kernel[1].min(4))];
        let size = [0, 1].map(|axis| {
            let least = kernel[axis].saturating_sub(2 * padding[axis]).max(1);
            least + noise.below(19)
        });
        let channels = if noise.below(2) == 0 { 16 + noise.below(4) } else { 1 + noise.below(15) };
        let (batch, out) = (1 + noise.below(11), 1 + noise.below(9));
        let case = Case::new([batch, channels, size[0], size[1]], out, kernel, stride, padding);
        agrees(&case, &mut noise);
    }
}

#[test]
fn agrees_for_the_layers_of_the_network() {
    let mut noise = Noise(11);
    for (channels, size, kernel, stride, padding) in [
        (3, [128, 128], [5, 5], [1, 2], [2, 2]),
        (16, [128, 64], [2, 1], [2, 1], [0, 0]),
        (16, [64, 64], [5, 5], [1, 2], [2, 2]),
        (16, [16, 16], [5, 3], [1, 2], [2, 1]),
        (16, [8, 8], [5, 5], [1, 1], [2, 2]),
        (16, [8, 8], [2, 2], [2, 2], [0, 0]),
        (16, [4, 4], [5, 5], [1, 1], [2, 2]),
    ] {
        agrees(&Case::new([2, channels, size[0], size[1]], 8, kernel, stride, padding), &mut noise);
    }
}

#[test]
fn agrees_where_the_input_is_smaller_than_the_kernel() {
    let mut noise = Noise(13);
    for (size, padding) in [([1, 1], [2, 2]), ([1, 9], [2, 2]), ([5, 1], [0, 2]), ([2, 3], [4, 4])]
    {
        agrees(&Case::new([3, 16, size[0], size[1]], 3, [5, 5], [1, 2], padding), &mut noise);
    }
}

/// The rounding of the transform stays far below what matters to training.
#[test]
fn error_is_small_for_many_channels() {
    let case = Case::new([1, 128, 64, 64], 16, [5, 5], [1, 2], [2, 2]);
    let errors = case.errors(&mut Noise(17));
    println!(
        "128 channels, 64 x 64, 5 x 5: output {:.1e}, input {:.1e}, weight {:.1e}",
        errors[0], errors[1], errors[2]
    );
    assert!(errors.iter().all(|e| *e < 1e-5), "{errors:?}");
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    // Winograd's filtering, then columns; the last chunk of images is a smaller one.
    for (kernel, stride, padding) in [([5, 5], [1, 2], [2, 2]), ([2, 1], [2, 1], [0, 0])] {
        let case = Case::new([11, 16, 8, 8], 8, kernel, stride, padding);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
            let convolution = Convolution::new(case.x, case.weight, case.geometry);
            let mut noise = Noise(19);
            let x = noise.numbers(case.x.iter().product());
            let weight = noise.numbers(case.weight.iter().product());
            let gradient = noise.numbers(convolution.output_shape().iter().product());
            let positions = gradient.len() / (11 * 8);
            pool.install(|| {
                [
                    convolution.forward(&x, &weight, &[0.5; 8], Activation::Relu),
                    sums(&gradient, 8, positions),
                    convolution.input_gradient(&weight, &gradient),
                    convolution.weight_gradient(&x, &gradient),
                ]
            })
        };
        assert_eq!(run(1), run(3));
    }
}

#[test]
fn the_relu_is_fused_into_both_methods() {
    let mut noise = Noise(23);
    for (kernel, stride, padding) in [([5, 5], [1, 2], [2, 2]), ([2, 1], [2, 1], [0, 0])] {
        let case = Case::new([3, 16, 8, 6], 5, kernel, stride, padding);
        let convolution = Convolution::new(case.x, case.weight, case.geometry);
        let x = noise.numbers(case.x.iter().product());
        let weight = noise.numbers(case.weight.iter().product());
        let forward = |activation| convolution.forward(&x, &weight, &[0.1; 5], activation);
        let expected: Vec<f32> =
            forward(Activation::Identity).into_iter().map(|v| v.max(0.0)).collect();
        assert!(expected.contains(&0.0) && expected.iter().any(|v| *v > 0.0));
        assert_eq!(forward(Activation::Relu), expected);
    }
}

#[test]
fn the_relu_hides_nothing_and_its_gradient_is_gated() {
    let mut values = [-1.0, -0.0, 0.0, 2.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    Activation::Relu.apply(&mut values);
    assert!(values[4].is_nan());
    assert_eq!([0, 1, 2, 3, 5, 6].map(|i| values[i]), [0.0, 0.0, 0.0, 2.0, f32::INFINITY, 0.0]);
    let mut gradient = [3.0, -4.0, 5.0];
    rectify_gradient(&[0.0, 0.5, 1e-30], &mut gradient);
    assert_eq!(gradient, [0.0, -4.0, 5.0]);
}

#[test]
fn sums_are_those_of_plain_loops() {
    let mut noise = Noise(29);
    for [batch, channels, positions] in [[1, 1, 1], [3, 2, 15], [2, 5, 16], [4, 3, 77]] {
        let maps = noise.numbers(batch * channels * positions);
        let found = sums(&maps, channels, positions);
        assert_eq!(found.len(), channels);
        for (channel, found) in found.into_iter().enumerate() {
            let of = |(i, v): (usize, &f32)| {
                if i / positions % channels == channel { f64::from(*v) } else { 0.0 }
            };
            let expected: f64 = maps.iter().enumerate().map(of).sum();
            assert!((f64::from(found) - expected).abs() < 1e-5, "{found} for {expected}");
        }
    }
}
