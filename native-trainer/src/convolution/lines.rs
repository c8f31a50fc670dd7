//! Lines of numbers: sums of lines with fixed coefficients, and every n-th number of a line.
//!
//! Invariant: a sum is taken in the order of its terms on every processor, so results do not depend
//! on the width of its vectors.

/// Numbers summed at once.
const LANES: usize = 16;

/// Terms of a sum of lines: each line's coefficient and where it starts.
pub type Terms = Vec<(f32, usize)>;

/// The terms of a sum of lines `pitch` apart, without those whose coefficient is zero.
pub fn terms(coefficients: impl IntoIterator<Item = f32>, pitch: usize) -> Terms {
    let all = coefficients.into_iter().enumerate().map(|(i, coefficient)| (coefficient, i * pitch));
    all.filter(|(coefficient, _)| *coefficient != 0.0).collect()
}

/// `target[k] = bias + Σ coefficient · source[start + k]` over the terms.
#[inline(always)]
pub fn combine(terms: &[(f32, usize)], bias: f32, source: &[f32], target: &mut [f32]) {
    let length = target.len();
    if length < LANES {
        for (k, target) in target.iter_mut().enumerate() {
            *target = terms.iter().fold(bias, |sum, (c, start)| sum + c * source[start + k]);
        }
        return;
    }
    for first in (0..length).step_by(LANES) {
        // The last lanes overlap those before rather than being fewer.
        let first = first.min(length - LANES);
        let mut sum = [bias; LANES];
        for (coefficient, start) in terms {
            let line = &source[start + first..][..LANES];
            sum.iter_mut().zip(line).for_each(|(s, v)| *s += coefficient * v);
        }
        target[first..first + LANES].copy_from_slice(&sum);
    }
}

/// `target[k] = source[k · step]`.
#[inline(always)]
pub fn pick(source: &[f32], step: usize, target: &mut [f32]) {
    match step {
        1 => target.copy_from_slice(&source[..target.len()]),
        2 => pick_every::<2>(source, target),
        _ => target.iter_mut().zip(source.iter().step_by(step)).for_each(|(t, s)| *t = *s),
    }
}

#[inline(always)]
fn pick_every<const STEP: usize>(source: &[f32], target: &mut [f32]) {
    let Some((last, target)) = target.split_last_mut() else { return };
    *last = source[target.len() * STEP];
    target.iter_mut().zip(source.chunks_exact(STEP)).for_each(|(t, group)| *t = group[0]);
}

/// `target[k · step] += source[k]`: the transpose of [`pick`].
#[inline(always)]
pub fn place(source: &[f32], step: usize, target: &mut [f32]) {
    match step {
        1 => target.iter_mut().zip(source).for_each(|(t, s)| *t += s),
        2 => place_every::<2>(source, target),
        _ => target.iter_mut().step_by(step).zip(source).for_each(|(t, s)| *t += s),
    }
}

#[inline(always)]
fn place_every<const STEP: usize>(source: &[f32], target: &mut [f32]) {
    let Some((last, source)) = source.split_last() else { return };
    target[source.len() * STEP] += last;
    target.chunks_exact_mut(STEP).zip(source).for_each(|(group, s)| group[0] += s);
}

/// Runs loops over lines with wider vectors where this processor has them.
#[inline(always)]
pub fn vectorised<R>(run: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn wide<R>(run: impl FnOnce() -> R) -> R {
            run()
        }
        // SAFETY: the processor was just asked for the one feature that `wide` is compiled with.
        return unsafe { wide(run) };
    }
    run()
}
