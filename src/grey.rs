//! Small operations on grey values that the preview, the segmentation and the preprocessing share.
//!
//! Invariant: none of them leaves the range of the values it was given, up to rounding.

/// The value below which `percent` % of `values` lie, linear between neighbours (numpy's default).
///
/// Reorders `values`; an empty slice gives 0.
pub fn percentile(values: &mut [f32], percent: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let position = (values.len() - 1) as f64 * f64::from(percent.clamp(0.0, 100.0)) / 100.0;
    let index = position.floor() as usize;
    let (_, &mut low, above) = values.select_nth_unstable_by(index, f32::total_cmp);
    let high = above.iter().copied().min_by(f32::total_cmp).unwrap_or(low);
    low + (high - low) * (position - index as f64) as f32
}

/// The middle of `values`; an empty slice gives 0. Reorders `values`.
pub fn median(values: &mut [f32]) -> f32 {
    percentile(values, 50.0)
}

/// Width and height after scaling the longer side down to `max_side`; never scales up.
pub fn shrunk_size(width: usize, height: usize, max_side: usize) -> (usize, usize) {
    let longest = width.max(height);
    if longest <= max_side {
        return (width, height);
    }
    let scale = |side: usize| {
        let scaled = (side as f64 * max_side as f64 / longest as f64).round() as usize;
        scaled.clamp(1, side)
    };
    (scale(width), scale(height))
}

/// Scales `width * height` values down to `out_width * out_height` by averaging the area that each
/// output pixel covers.
pub fn shrink(
    pixels: &[f32],
    (width, height): (usize, usize),
    (out_width, out_height): (usize, usize),
) -> Vec<f32> {
    if (width, height) == (out_width, out_height) {
        return pixels.to_vec();
    }
    let columns = coverage(width, out_width);
    let mut out = Vec::with_capacity(out_width * out_height);
    let mut row_sum = vec![0.0f32; width];
    for (first, weights) in coverage(height, out_height) {
        row_sum.fill(0.0);
        for (row, weight) in pixels.chunks_exact(width).skip(first).zip(weights) {
            row_sum.iter_mut().zip(row).for_each(|(sum, v)| *sum += v * weight);
        }
        out.extend(columns.iter().map(|(first, weights)| {
            row_sum[*first..].iter().zip(weights).map(|(v, w)| v * w).sum::<f32>()
        }));
    }
    out
}

/// For each of `out` cells of equal length on a line of `len` pixels: first pixel and the shares of it
/// and the following ones; the shares of a cell add up to 1.
fn coverage(len: usize, out: usize) -> Vec<(usize, Vec<f32>)> {
    let step = len as f64 / out as f64;
    let cell = |i: usize| {
        let (start, end) = (i as f64 * step, ((i + 1) as f64 * step).min(len as f64));
        let (first, last) = (start as usize, (end.ceil() as usize).min(len));
        let shares = (first..last)
            .map(|p| (((p + 1) as f64).min(end) - (p as f64).max(start)).max(0.0) / step)
            .map(|share| share as f32)
            .collect();
        (first, shares)
    };
    (0..out).map(cell).collect()
}

/// Value of an image of this width and height between its pixels, whose centres have whole coordinates:
/// linear between the four nearest, the border repeated.
#[inline]
pub fn bilinear(pixels: &[f32], (width, height): (usize, usize), x: f32, y: f32) -> f32 {
    let x = x.clamp(0.0, (width - 1) as f32);
    let y = y.clamp(0.0, (height - 1) as f32);
    let (left, top) = (x as usize, y as usize);
    let (right, below) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let between = |row: usize| {
        let (a, b) = (pixels[row * width + left], pixels[row * width + right]);
        a + (b - a) * fx
    };
    let (upper, lower) = (between(top), between(below));
    upper + (lower - upper) * fy
}

/// Gaussian mean of every pixel's surroundings, the border repeated; `sigma` in pixels.
pub fn gaussian_blur(pixels: &[f32], width: usize, sigma: f32) -> Vec<f32> {
    let height = pixels.len() / width;
    let radius = (3.0 * sigma).ceil() as usize;
    let weight = |i: usize| {
        let distance = i as f32 - radius as f32;
        (-0.5 * distance * distance / (sigma * sigma)).exp()
    };
    let mut kernel: Vec<f32> = (0..=2 * radius).map(weight).collect();
    let total: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|w| *w /= total);

    let mut vertical = vec![0.0f32; pixels.len()];
    for (y, out) in vertical.chunks_exact_mut(width).enumerate() {
        for (k, w) in kernel.iter().enumerate() {
            let source = (y + k).saturating_sub(radius).min(height - 1);
            let row = &pixels[source * width..][..width];
            out.iter_mut().zip(row).for_each(|(o, v)| *o += w * v);
        }
    }

    let mut blurred = vec![0.0f32; pixels.len()];
    let mut padded = vec![0.0f32; width + 2 * radius];
    for (row, out) in vertical.chunks_exact(width).zip(blurred.chunks_exact_mut(width)) {
        padded[..radius].fill(row[0]);
        padded[radius..radius + width].copy_from_slice(row);
        padded[radius + width..].fill(row[width - 1]);
        for (k, w) in kernel.iter().enumerate() {
            out.iter_mut().zip(&padded[k..]).for_each(|(o, v)| *o += w * v);
        }
    }
    blurred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_linear_between_neighbours() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&mut values, 0.0), 1.0);
        assert_eq!(percentile(&mut values, 50.0), 2.5);
        assert_eq!(percentile(&mut values, 100.0), 4.0);
        assert_eq!(percentile(&mut [], 50.0), 0.0);
    }

    #[test]
    fn shrinking_averages_areas() {
        let pixels = [0.0, 1.0, 0.5, 0.0, 1.0, 0.5];
        assert_eq!(shrink(&pixels, (3, 2), (3, 1)), [0.0, 1.0, 0.5]);
        let half = shrink(&[0.0, 0.6, 0.9], (3, 1), (2, 1));
        assert!((half[0] - 0.2).abs() < 1e-6 && (half[1] - 0.8).abs() < 1e-6, "{half:?}");
        assert_eq!(shrunk_size(4000, 10, 100), (100, 1));
        assert_eq!(shrunk_size(50, 20, 100), (50, 20));
    }

    #[test]
    fn blur_keeps_a_constant_and_the_sum_of_a_dot() {
        assert!(gaussian_blur(&[0.25; 60], 10, 2.0).iter().all(|v| (v - 0.25).abs() < 1e-6));
        let mut dot = vec![0.0; 21 * 21];
        dot[10 * 21 + 10] = 1.0;
        let blurred = gaussian_blur(&dot, 21, 1.5);
        assert!((blurred.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((blurred[9 * 21 + 10] - blurred[10 * 21 + 11]).abs() < 1e-6);
    }
}
