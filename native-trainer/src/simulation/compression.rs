//! Lossy compression as JPEG does it: blocks of 8 x 8, cosine transform, quantisation, and back.
//!
//! Invariant: only the loss is made, no file; levels are those of eight bits. Source: ITU-T T.81,
//! A.3.3 (transform) and Table K.1 (luminance).

use super::optics::Plane;

const LUMINANCE: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Compresses and decompresses shares of white at a quality of 1 to 100.
pub fn compress(plane: &mut Plane, quality: u8) {
    let basis = basis();
    let scale = match f32::from(quality.clamp(1, 100)) {
        low if low < 50.0 => 50.0 / low,
        high => 2.0 - high / 50.0,
    };
    let steps = LUMINANCE.map(|step| (f32::from(step) * scale).clamp(1.0, 255.0));
    let (width, height) = (plane.width, plane.height);
    for top in (0..height).step_by(8) {
        for left in (0..width).step_by(8) {
            let mut block = [0.0f32; 64];
            for y in 0..8 {
                let row = (top + y).min(height - 1) * width;
                for x in 0..8 {
                    block[8 * y + x] = 255.0 * plane.light[row + (left + x).min(width - 1)] - 128.0;
                }
            }
            let mut levels = transform(&block, &basis);
            for (level, step) in levels.iter_mut().zip(&steps) {
                *level = (*level / step).round() * step;
            }
            let block = transform(&levels, &transposed(&basis));
            for y in 0..8.min(height - top) {
                for x in 0..8.min(width - left) {
                    let share = (block[8 * y + x] + 128.0) / 255.0;
                    plane.light[(top + y) * width + left + x] = share.clamp(0.0, 1.0);
                }
            }
        }
    }
}

/// Rows are the orthonormal cosine functions.
fn basis() -> [f32; 64] {
    std::array::from_fn(|i| {
        let (frequency, place) = ((i / 8) as f32, (i % 8) as f32);
        let norm = if frequency == 0.0 { 0.125f32.sqrt() } else { 0.5 };
        norm * ((2.0 * place + 1.0) * frequency * std::f32::consts::PI / 16.0).cos()
    })
}

fn transposed(matrix: &[f32; 64]) -> [f32; 64] {
    std::array::from_fn(|i| matrix[i % 8 * 8 + i / 8])
}

/// `basis · block · basisᵀ`.
fn transform(block: &[f32; 64], basis: &[f32; 64]) -> [f32; 64] {
    product(&product(basis, block), &transposed(basis))
}

fn product(a: &[f32; 64], b: &[f32; 64]) -> [f32; 64] {
    let mut out = [0.0f32; 64];
    for y in 0..8 {
        for k in 0..8 {
            let factor = a[8 * y + k];
            for x in 0..8 {
                out[8 * y + x] += factor * b[8 * k + x];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves() -> Plane {
        let mut plane = Plane::new(37, 21);
        for (i, light) in plane.light.iter_mut().enumerate() {
            *light = 0.5 + 0.4 * ((i % 37) as f32 * 0.9).sin() * ((i / 37) as f32 * 0.4).cos();
        }
        plane
    }

    #[test]
    fn quality_decides_the_loss() {
        let loss = |quality| {
            let mut plane = waves();
            compress(&mut plane, quality);
            let before = waves();
            let pairs = plane.light.iter().zip(&before.light).map(|(a, b)| (a - b).abs());
            pairs.fold(0.0f32, f32::max)
        };
        assert!(loss(100) < 5.0 / 255.0, "rounding only: {}", loss(100));
        assert!(loss(10) > 4.0 * loss(100) && loss(10) < 0.5, "{}", loss(10));
    }

    #[test]
    fn an_even_plane_passes() {
        let mut plane = Plane::new(16, 16);
        plane.light.fill(128.0 / 255.0);
        compress(&mut plane, 50);
        assert!(plane.light.iter().all(|light| (light * 255.0 - 128.0).abs() < 1e-2));
    }
}
