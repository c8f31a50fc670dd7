//! The minimal filtering algorithms F(m, r) of Winograd: `m` outputs of an `r`-tap filter with
//! `m + r - 1` multiplications.
//!
//! `y = Aᵀ[(G g) ⊙ (Bᵀ d)]` for inputs `d` and taps `g` (Lavin and Gray, "Fast Algorithms for
//! Convolutional Neural Networks", Section 4.1), by evaluating polynomials at points and at infinity.
//!
//! Invariant: the point at infinity is the last one.

/// Evaluation points in the order in which they are taken; small magnitudes keep rounding small.
const POINTS: [f64; 9] = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, -1.5];

/// The three matrices of F(outputs, taps).
pub struct Transform {
    /// Bᵀ, points x points.
    pub input: Vec<Vec<f32>>,
    /// G, points x taps.
    pub kernel: Vec<Vec<f32>>,
    /// Aᵀ, outputs x points.
    pub output: Vec<Vec<f32>>,
}

impl Transform {
    /// Of `outputs` results of a filter of `taps` numbers; both at least 1.
    pub fn new(outputs: usize, taps: usize) -> Self {
        let points = outputs + taps - 1;
        let finite = &POINTS[..points - 1];
        let product = |skip: usize| {
            let others = finite.iter().enumerate().filter(|(i, _)| *i != skip);
            others.fold(vec![1.0], |polynomial, (_, root)| times(&polynomial, *root))
        };
        let rows = |length: usize, row: &dyn Fn(usize) -> Vec<f64>| -> Vec<Vec<f32>> {
            let narrow = |row: Vec<f64>| row.into_iter().map(|v| v as f32).collect();
            (0..length).map(|i| narrow(row(i))).collect()
        };
        let power =
            |a: f64, count: usize| -> Vec<f64> { (0..count).map(|k| a.powi(k as i32)).collect() };
        let last =
            |count: usize| -> Vec<f64> { (0..count).map(|k| f64::from(k + 1 == count)).collect() };
        let input = rows(points, &|j| {
            let mut row = product(j);
            row.resize(points, 0.0);
            row
        });
        let kernel = rows(points, &|j| {
            let Some(a) = finite.get(j) else { return last(taps) };
            let others = finite.iter().enumerate().filter(|(i, _)| *i != j);
            let scale: f64 = others.map(|(_, b)| a - b).product();
            power(*a, taps).into_iter().map(|v| v / scale).collect()
        });
        let columns: Vec<Vec<f64>> = (0..points)
            .map(|j| finite.get(j).map_or(last(outputs), |a| power(*a, outputs)))
            .collect();
        let output = rows(outputs, &|i| columns.iter().map(|column| column[i]).collect());
        Self { input, kernel, output }
    }

    /// Multiplications per tile.
    pub fn points(&self) -> usize {
        self.input.len()
    }
}

/// The polynomial times `x - root`, lowest power first.
fn times(polynomial: &[f64], root: f64) -> Vec<f64> {
    let mut result = vec![0.0; polynomial.len() + 1];
    for (k, c) in polynomial.iter().enumerate() {
        result[k + 1] += c;
        result[k] -= root * c;
    }
    result
}
