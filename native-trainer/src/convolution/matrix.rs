//! Row-major matrices in slices and their products.
//!
//! Invariant: a product touches no number outside the slices it is given.

use gemm::Parallelism;

/// A row-major matrix at the start of a slice; `stride` numbers from row to row.
pub struct Matrix<T> {
    values: T,
    stride: usize,
    transposed: bool,
}

/// The matrix as it is stored.
pub fn matrix<T>(values: T, stride: usize) -> Matrix<T> {
    Matrix { values, stride, transposed: false }
}

/// The transpose of the matrix that is stored.
pub fn transposed<T>(values: T, stride: usize) -> Matrix<T> {
    Matrix { values, stride, transposed: true }
}

impl<T> Matrix<T> {
    /// Column stride and row stride of the matrix as it is to be read.
    fn strides(&self) -> (isize, isize) {
        let (along, across) = (1, self.stride as isize);
        if self.transposed { (across, along) } else { (along, across) }
    }

    /// Length of the slice that `rows x columns` of this matrix reach.
    fn reach(&self, rows: usize, columns: usize) -> usize {
        let (column, row) = self.strides();
        (rows - 1) * row as usize + (columns - 1) * column as usize + 1
    }
}

/// `target (rows x columns) = left (rows x depth) · right (depth x columns)`, added to it if `add`.
pub fn multiply(
    [rows, depth, columns]: [usize; 3],
    target: Matrix<&mut [f32]>,
    left: Matrix<&[f32]>,
    right: Matrix<&[f32]>,
    add: bool,
) {
    assert!(target.reach(rows, columns) <= target.values.len());
    assert!(left.reach(rows, depth) <= left.values.len());
    assert!(right.reach(depth, columns) <= right.values.len());
    let ((tc, tr), (lc, lr), (rc, rr)) = (target.strides(), left.strides(), right.strides());
    // SAFETY: the asserts above hold every index within its slice; f32 has no invalid values and the
    // target is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            target.values.as_mut_ptr(),
            tc,
            tr,
            add,
            left.values.as_ptr(),
            lc,
            lr,
            right.values.as_ptr(),
            rc,
            rr,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The transpose of a `rows x columns` matrix.
pub fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    /// Rows read together, so that what is written shares cache lines.
    const TOGETHER: usize = 16;
    let rows = values.len() / columns;
    let mut result = vec![0.0; values.len()];
    for first in (0..rows).step_by(TOGETHER) {
        for (column, line) in result.chunks_exact_mut(rows).enumerate() {
            let target = line[first..].iter_mut().take(TOGETHER);
            let source = values[first * columns + column..].iter().step_by(columns);
            target.zip(source).for_each(|(t, s)| *t = *s);
        }
    }
    result
}
