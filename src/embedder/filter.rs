//! Minimal filtering F(4, r): four outputs of an r-tap filter from r + 3 products.
//!
//! Winograd's algorithms as in Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks"
//! (CVPR 2016): y = Aᵀ\[(G g) ⊙ (Bᵀ d)\] for yᵢ = Σₖ gₖ dᵢ₊ₖ. They are the transposes of the
//! Toom-Cook polynomial products, so all three matrices follow from the points at which polynomials
//! are evaluated: for n = r + 3 the point at infinity and the first n − 1 of [`POINTS`].
//!
//! Invariant: A's column of a point does not depend on r. So products of filters of different
//! lengths may be summed point by point before Aᵀ is applied once.

/// Outputs of a tile.
pub const TILE: usize = 4;

/// The finite points, in the order in which longer filters take them up.
const POINTS: [f64; 7] = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5];

/// Index of the point 1, where polynomials are the sum of their coefficients.
pub const POINT_ONE: usize = 2;

/// The power `exponent` of `x`.
const fn power(x: f64, exponent: usize) -> f64 {
    let (mut result, mut i) = (1.0, 0);
    while i < exponent {
        result *= x;
        i += 1;
    }
    result
}

/// Coefficients, the lowest first, of Π (x − q) over the N − 1 finite points q but `without`.
const fn polynomial<const N: usize>(without: Option<usize>) -> [f64; N] {
    let mut result = [0.0; N];
    result[0] = 1.0;
    let mut q = 0;
    while q < N - 1 {
        if !matches!(without, Some(p) if p == q) {
            let mut i = N - 1;
            while i > 0 {
                result[i] = result[i - 1] - POINTS[q] * result[i];
                i -= 1;
            }
            result[0] *= -POINTS[q];
        }
        q += 1;
    }
    result
}

/// Bᵀ: from N inputs to N points, infinity first.
pub const fn input<const N: usize>() -> [[f32; N]; N] {
    let mut rows = [[0.0; N]; N];
    let mut row = 0;
    while row < N {
        let without = if row == 0 { None } else { Some(row - 1) };
        let coefficients: [f64; N] = polynomial(without);
        let mut i = 0;
        while i < N {
            rows[row][i] = coefficients[i] as f32;
            i += 1;
        }
        row += 1;
    }
    rows
}

/// Aᵀ: from N points to the tile's outputs.
pub const fn output<const N: usize>() -> [[f32; N]; TILE] {
    let mut rows = [[0.0; N]; TILE];
    let mut i = 0;
    while i < TILE {
        rows[i][0] = if i == TILE - 1 { 1.0 } else { 0.0 };
        let mut p = 0;
        while p < N - 1 {
            rows[i][p + 1] = power(POINTS[p], i) as f32;
            p += 1;
        }
        i += 1;
    }
    rows
}

/// Number of points for a filter.
pub const fn points(taps: usize) -> usize {
    taps + TILE - 1
}

/// G, of each point: what a filter of that many taps is multiplied with. Lagrange's denominators are
/// in it.
pub fn kernel(taps: usize) -> Vec<Vec<f64>> {
    let finite = &POINTS[..points(taps) - 1];
    let infinity = (0..taps).map(|tap| if tap + 1 == taps { 1.0 } else { 0.0 }).collect();
    let at = |p: f64| {
        let denominator: f64 = finite.iter().filter(|q| **q != p).map(|q| p - q).product();
        (0..taps).map(|tap| power(p, tap) / denominator).collect()
    };
    std::iter::once(infinity).chain(finite.iter().map(|p| at(*p))).collect()
}
