//! The camera: exposure, shot and read noise, clipping and grey levels.
//!
//! Invariant: a pixel never exceeds the field's white; light at or above full well is white.

use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;

use super::noise::{Deviates, log_uniform};
use super::optics::Plane;

/// Settings of one camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Share of full well that light 1 fills.
    pub exposure: f32,
    /// Electrons of a full well.
    pub full_well: f32,
    /// Standard deviation of read noise, in electrons.
    pub read_noise: f32,
    /// Level of no light, as a share of white.
    pub offset: f32,
    /// Exponent on the signal; 1 is linear.
    pub gamma: f32,
    /// The greatest grey level: 255, 4095 or 65535.
    pub white: u16,
    /// Quality of lossy compression, 1 to 100, if the picture has been compressed.
    pub compression: Option<u8>,
}

impl Camera {
    /// Draws a camera for a specimen whose light is `dim` times that of a positive one.
    pub fn draw(rng: &mut ChaCha8Rng, dim: f32, white: Option<u16>) -> Self {
        let white = white.unwrap_or_else(|| match rng.random_range(0..10) {
            0 => 4095,
            1 | 2 => u16::MAX,
            _ => 255,
        });
        // Most dim slides are exposed longer, the others as all slides of the series.
        let longer = if rng.random_bool(0.7) { dim } else { 1.0 };
        Self {
            exposure: log_uniform(rng, 0.1, 0.85) / longer,
            full_well: log_uniform(rng, 400.0, 20_000.0),
            read_noise: log_uniform(rng, 1.5, 12.0),
            offset: if rng.random_bool(0.6) { rng.random_range(0.0..0.05) } else { 0.0 },
            gamma: if rng.random_bool(0.75) { 1.0 } else { rng.random_range(0.55..1.3) },
            white,
            compression: (white == 255 && rng.random_bool(0.25)).then(|| rng.random_range(55..97)),
        }
    }

    /// Shares of white in 0..1, with noise, clipped.
    pub fn expose(&self, plane: &mut Plane, deviates: &Deviates, rng: &mut ChaCha8Rng) {
        let inverse = self.full_well.recip();
        let read = (self.read_noise * inverse).powi(2);
        let range = 1.0 - self.offset;
        let mut random = vec![0u8; 2 * plane.width];
        for row in plane.light.chunks_exact_mut(plane.width) {
            rng.fill_bytes(&mut random);
            for (light, bytes) in row.iter_mut().zip(random.chunks_exact(2)) {
                let signal = *light * self.exposure;
                let deviation = (signal * inverse + read).sqrt();
                let deviate = deviates.of(u16::from_le_bytes([bytes[0], bytes[1]]));
                *light = (self.offset + range * (signal + deviation * deviate)).clamp(0.0, 1.0);
            }
        }
        if self.gamma != 1.0 {
            // Steps finer than a grey level of 12 bits; steep only where noise rules anyway.
            const STEPS: usize = 1 << 14;
            let curve: Vec<f32> =
                (0..=STEPS).map(|i| (i as f32 / STEPS as f32).powf(self.gamma)).collect();
            let of = |share: f32| curve[((share * STEPS as f32) as usize).min(STEPS)];
            plane.light.iter_mut().for_each(|share| *share = of(*share));
        }
    }

    /// Grey levels of shares of white.
    pub fn quantise(&self, plane: &Plane) -> Vec<u16> {
        let white = f32::from(self.white);
        plane.light.iter().map(|share| (share * white + 0.5).clamp(0.0, white) as u16).collect()
    }
}
