//! A small SMO solver for the grid alone: smartcore's takes seconds where this takes milliseconds.
//!
//! Invariant: it solves the same problem as [`mitoscope::svm::Svm::fit`], to the same tolerance.

use mitoscope::Error;

/// Stopping tolerance on the KKT violation, that of the final fit.
const KKT_GAP: f64 = 1e-4;

/// Smallest curvature along a pair, as in LIBSVM: equal samples have none.
const TAU: f64 = 1e-12;

/// Decision values of all samples by a machine trained on those with a target.
///
/// `kernel` is the n × n kernel matrix, `targets` 1 for mitotic, −1 for interphase and 0 for a
/// held-out sample. Pairs are chosen by second-order information (Fan, Chen and Lin 2005).
///
/// # Errors
/// [`Error::Fit`] when the iterations do not end.
pub(super) fn decision_values(kernel: &[f64], targets: &[f64], c: f64) -> Result<Vec<f64>, Error> {
    let n = targets.len();
    let row = |i: usize| &kernel[i * n..(i + 1) * n];
    // Signed multipliers: mitotic in [0, C], interphase in [-C, 0], held out 0.
    let low: Vec<f64> = targets.iter().map(|y| c * y.min(0.0)).collect();
    let high: Vec<f64> = targets.iter().map(|y| c * y.max(0.0)).collect();
    let mut alphas = vec![0.0; n];
    let mut gradient = targets.to_vec();
    for _ in 0..100 * n + 1_000_000 {
        let (mut up, mut most, mut least) = (0, f64::NEG_INFINITY, f64::INFINITY);
        for i in 0..n {
            if alphas[i] < high[i] && gradient[i] > most {
                (up, most) = (i, gradient[i]);
            }
            if alphas[i] > low[i] {
                least = least.min(gradient[i]);
            }
        }
        if most - least <= KKT_GAP {
            let bias = (most + least) / 2.0;
            return Ok(targets.iter().zip(gradient).map(|(y, g)| y - g + bias).collect());
        }
        let k_up = row(up);
        let curvature = |j: usize| (k_up[up] + kernel[j * n + j] - 2.0 * k_up[j]).max(TAU);
        let (mut down, mut gain) = (up, 0.0);
        for j in 0..n {
            let difference = most - gradient[j];
            if alphas[j] > low[j] && difference > 0.0 {
                let this = difference * difference / curvature(j);
                if this > gain {
                    (down, gain) = (j, this);
                }
            }
        }
        let (room_up, room_down) = (high[up] - alphas[up], alphas[down] - low[down]);
        let step = ((most - gradient[down]) / curvature(down)).min(room_up).min(room_down);
        alphas[up] = if step == room_up { high[up] } else { alphas[up] + step };
        alphas[down] = if step == room_down { low[down] } else { alphas[down] - step };
        for ((g, a), b) in gradient.iter_mut().zip(k_up).zip(row(down)) {
            *g -= step * (a - b);
        }
    }
    Err(Error::Fit(format!("the SVM search did not converge for C = {c}")))
}
