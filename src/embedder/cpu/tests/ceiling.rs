//! How near the one convolution that takes two thirds of the multiplications comes to what the
//! processor can do at all.

use std::array::from_fn;
use std::hint::black_box;
use std::time::Instant;

use pulp::{Simd, WithSimd};

use super::super::super::points::DOWN;
use super::super::vectors::unrolled;
use super::*;

/// Independent sums, enough to hide the time that a multiply-add takes.
const SUMS: usize = 12;
const ROUNDS: usize = 30;

/// Multiply-adds in registers alone; gives how many there were.
struct MultiplyAdds(usize);

impl WithSimd for MultiplyAdds {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let factor = simd.splat_f32s(black_box(0.999));
        let summand = simd.splat_f32s(black_box(0.001));
        let mut sums: [S::f32s; SUMS] = from_fn(|i| simd.splat_f32s(black_box(i as f32)));
        for _ in 0..self.0 {
            unrolled!(i < SUMS => { sums[i] = simd.mul_add_e_f32s(sums[i], factor, summand); });
        }
        black_box(sums.map(|sum| simd.reduce_sum_f32s(sum)));
        self.0 * SUMS * S::F32_LANES
    }
}

/// Seconds that the work takes.
fn time<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let started = Instant::now();
    let result = work();
    (started.elapsed().as_secs_f64(), result)
}

#[test]
#[ignore = "measures the machine: run it alone"]
fn conv3_reaches_half_of_the_ceiling() {
    let geometry = without_dead_columns(TABLE_1)[2];
    let size = [SIDE / 2; 2];
    let [height, width] = geometry.output_size(size);
    let [weight, bias] =
        [numbers(1, geometry.kernel[0] * geometry.kernel[1] * WIDTH * WIDTH), numbers(2, WIDTH)];
    let kernel = Kernel { weight: &weight, bias: &bias, geometry };
    let vectors = Vectors::new();
    let conv3 = Convolution::new(vectors, kernel, [height, width]);
    assert!(matches!(conv3, Convolution::Tiles(_)));
    let mut x = Map::new(size, WIDTH, geometry.padding);
    let values = numbers(3, size[0] * x.pitch);
    x.inside().iter_mut().zip(values).for_each(|(x, value)| *x = value);
    let mut y = Map::new([height, width], WIDTH, [0, 0]);
    let mut scratch = Scratch::new(conv3.scratch(&x, &y));

    // F(4, 5) down the rows; across them F(4, 3) and F(4, 2), the two phases of 5 taps at stride 2.
    let points = DOWN * (filter::points(3) + filter::points(2));
    let multiplications = points * (height / TILE) * (width / TILE) * WIDTH * WIDTH;
    let mut rates: Vec<[f64; 2]> = (0..ROUNDS)
        .map(|_| {
            let (seconds, done) = time(|| vectors.dispatch(MultiplyAdds(400_000)));
            let (conv3, ()) = time(|| conv3.apply(&x, &mut y, &mut scratch));
            [done as f64 / seconds, multiplications as f64 / conv3].map(|rate| rate / 1e9)
        })
        .collect();
    let mut median = |i: usize| {
        rates.sort_by(|a, b| a[i].total_cmp(&b[i]));
        rates[ROUNDS / 2][i]
    };
    let (ceiling, conv3) = (median(0), median(1));
    println!(
        "{vectors:?}, 1 thread: {ceiling:.1} thousand million multiply-adds a second in registers, \
         {conv3:.1} in conv3, transforms included: {:.0} %",
        100.0 * conv3 / ceiling
    );
    assert!(conv3 >= 0.5 * ceiling);
}
