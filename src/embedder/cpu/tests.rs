//! Each step against plain loops in double precision, with every kind of vector this machine has.

use super::super::filter::{self, TILE};
use super::super::plain::{convolution as plain, error, geometry, numbers};
use super::map::Map;
use super::*;

mod ceiling;

/// All vectors that can be computed with here.
fn machines() -> Vec<Vectors> {
    let mut machines = vec![Vectors::Scalar, Vectors::new()];
    #[cfg(target_arch = "x86_64")]
    machines.extend(pulp::x86::V3::try_new().map(Vectors::V3));
    machines
}

/// yᵢ = Σₖ gₖ dᵢ₊ₖ and Aᵀ[(G g) ⊙ (Bᵀ d)].
#[track_caller]
fn check_filter<const R: usize, const N: usize>() {
    let [d, g] =
        [numbers(1, N), numbers(2, R)].map(|v| Vec::from_iter(v.into_iter().map(f64::from)));
    let dot =
        |row: &[f32], x: &[f64]| -> f64 { row.iter().zip(x).map(|(a, b)| f64::from(*a) * b).sum() };
    let inputs = filter::input::<N>().map(|row| dot(&row, &d));
    let factors = filter::kernel(R);
    assert_eq!((factors.len(), filter::points(R)), (N, N));
    let products: Vec<f64> = factors
        .iter()
        .zip(inputs)
        .map(|(row, input)| row.iter().zip(&g).map(|(a, b)| a * b).sum::<f64>() * input)
        .collect();
    for (i, row) in filter::output::<N>().iter().enumerate() {
        let wanted: f64 = g.iter().zip(&d[i..]).map(|(g, d)| g * d).sum();
        assert!((dot(row, &products) - wanted).abs() < 1e-12, "output {i} of F({TILE}, {R})");
    }
}

#[test]
fn minimal_filtering_is_filtering() {
    check_filter::<1, 4>();
    check_filter::<2, 5>();
    check_filter::<3, 6>();
    check_filter::<4, 7>();
    check_filter::<5, 8>();
}

#[test]
fn lagranges_sum_gives_every_point_the_same_column() {
    let [short, long] =
        [filter::output::<5>().map(Vec::from), filter::output::<8>().map(Vec::from)];
    for (short, long) in short.iter().zip(&long) {
        assert_eq!(short[..], long[..5]);
        assert_eq!(long[filter::POINT_ONE], 1.0);
    }
}

#[test]
fn products_are_sums_of_runs() {
    for machine in machines() {
        for (seed, columns) in (1..=26).enumerate() {
            let [runs, length, out, lines] =
                [1 + seed % 3, 1 + seed * 7 % 19, 32 * (1 + seed % 2), 2];
            let inputs = Inputs { column: 5, run: 211, line: 17 };
            let outputs = Outputs { column: out + 3, line: columns * (out + 3) + 1 };
            let [weight, bias] = [numbers(1, runs * length * out), numbers(2, out)];
            let x = numbers(3, 211 * runs + 17 * lines + 5 * columns + length);
            let activation = if seed % 2 == 0 { Activation::Linear } else { Activation::Relu };
            let pack = |depth, o| weight[depth * out + o];
            let product = Product::new(machine, [runs, length], pack, &bias, activation);
            let mut y = vec![7.0; lines * outputs.line];
            product.apply([lines, columns], &x, inputs, &mut y, outputs);
            let (mut found, mut wanted) = (Vec::new(), Vec::new());
            for (line, column, o) in (0..lines * columns * out)
                .map(|i| (i / (columns * out), i / out % columns, i % out))
            {
                let place = |depth: usize| {
                    let run = depth / length * inputs.run + depth % length;
                    line * inputs.line + column * inputs.column + run
                };
                let terms = (0..runs * length)
                    .map(|depth| f64::from(x[place(depth)]) * f64::from(pack(depth, o)));
                let sum = terms.sum::<f64>() + f64::from(bias[o]);
                wanted.push(if activation == Activation::Relu { sum.max(0.0) } else { sum });
                let at = line * outputs.line + column * outputs.column + o;
                found.push(std::mem::replace(&mut y[at], 7.0));
            }
            assert!(error(found, &wanted) < 1e-6, "{machine:?}, {columns} columns");
            assert!(y.iter().all(|v| *v == 7.0), "{machine:?} wrote between the outputs");
        }
    }
}

/// A method of convolution against [`plain`], twice in the same memory.
#[track_caller]
fn check(
    method: impl Fn(Vectors, Kernel) -> Convolution,
    geometry: Geometry,
    [channels, out]: [usize; 2],
    size: [usize; 2],
) {
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let [weight, bias] = [numbers(4, out * channels * taps), numbers(5, out)];
    let kernel = Kernel { weight: &weight, bias: &bias, geometry };
    for machine in machines() {
        let mut x = Map::new(size, channels, geometry.padding);
        let mut y = Map::new(geometry.output_size(size), out, [1, 2]);
        let convolution = method(machine, kernel);
        let mut scratch = Scratch::new(convolution.scratch(&x, &y));
        for seed in [6, 7] {
            let values = numbers(seed, size[0] * size[1] * channels);
            let pitch = x.pitch;
            for (row, values) in values.chunks(size[1] * channels).enumerate() {
                x.inside()[row * pitch..][..values.len()].copy_from_slice(values);
            }
            convolution.apply(&x, &mut y, &mut scratch);
            let ([height, width], pitch) = (y.size, y.pitch);
            let rows = y.inside().chunks(pitch).take(height);
            let found: Vec<f32> = rows.flat_map(|row| row[..width * out].to_vec()).collect();
            let error = error(found, &plain(kernel, &values, size));
            assert!(
                error < 1e-5,
                "{machine:?} {geometry:?} {channels} to {out}, {size:?}: {error:e}"
            );
        }
        let ([height, width], pitch) = (y.size, y.pitch);
        let written = |values: &[f32]| values.iter().filter(|value| **value != 0.0).count();
        let rows = y.inside().chunks(pitch).take(height);
        let inside: usize = rows.map(|row| written(&row[..width * out])).sum();
        assert_eq!(written(y.padded()), inside, "the border is no longer zero");
    }
}

#[test]
fn direct_convolution_is_convolution() {
    let direct = |vectors, kernel: Kernel| Convolution::Direct(Direct::new(vectors, kernel));
    check(direct, geometry([2, 1], [2, 1], [0, 0]), [32, 32], [6, 5]);
    check(direct, geometry([2, 2], [2, 2], [0, 0]), [64, 32], [8, 8]);
    check(direct, geometry([5, 5], [1, 2], [2, 2]), [3, 64], [7, 14]);
    check(direct, geometry([5, 3], [1, 1], [2, 1]), [1, 32], [4, 27]);
    check(direct, geometry([1, 1], [1, 1], [0, 0]), [2, 32], [1, 1]);
}

#[test]
fn filtering_down_the_rows_is_convolution() {
    let rows = |vectors, kernel: Kernel| Convolution::Rows(Rows::new(vectors, kernel));
    for channels in [1, 2, 3, 32] {
        check(rows, geometry([5, 5], [1, 2], [2, 2]), [channels, 32], [8, 14]);
        check(rows, geometry([5, 3], [1, 1], [2, 1]), [channels, 64], [4, 13]);
    }
    check(rows, geometry([5, 1], [1, 1], [2, 0]), [3, 32], [12, 1]);
}

#[test]
fn filtering_in_tiles_is_convolution() {
    let tiles = |vectors, kernel: Kernel| Convolution::Tiles(Tiles::new(vectors, kernel));
    for size in [[4, 8], [8, 16], [20, 40]] {
        check(tiles, geometry([5, 5], [1, 2], [2, 2]), [32, 32], size);
        check(tiles, geometry([5, 3], [1, 2], [2, 1]), [64, 32], size);
        check(tiles, geometry([5, 2], [1, 1], [2, 0]), [32, 32], [size[0], size[1] + 1]);
        check(tiles, geometry([5, 5], [1, 1], [2, 2]), [32, 64], size);
    }
    // More tiles than a block holds, in rows that do not divide it.
    check(tiles, geometry([5, 5], [1, 2], [2, 2]), [32, 32], [64, 96]);
    check(tiles, geometry([5, 5], [1, 2], [2, 2]), [32, 32], [8, 528]);
}

#[test]
fn what_is_no_number_stays_so() {
    for machine in machines() {
        let product = Product::new(machine, [1, 1], |_, _| 1.0, &[0.0; 32], Activation::Relu);
        let mut y = [0.0; 32];
        let inputs = Inputs { line: 0, column: 0, run: 0 };
        product.apply([1, 1], &[f32::NAN], inputs, &mut y, Outputs { line: 0, column: 0 });
        assert!(y.iter().all(|v| v.is_nan()), "{machine:?}");
    }
}
