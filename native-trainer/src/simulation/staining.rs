//! What a serum stains: the recipe of light for every part of a cell, drawn once a specimen.
//!
//! Invariant: light is relative to the pattern's main structure in interphase, which is about 1; the
//! negative pattern is the same recipe, dimmed. A mixed serum may turn a dark plate bright, and then
//! says so in [`Staining::chromatin`].

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::noise::log_uniform;
use super::pattern::{Chromatin, Pattern};

/// How the stain of the cytoplasm is arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Web {
    /// Evenly, with fine grains.
    Diffuse,
    /// Threads and grains around the nucleus, as mitochondria.
    Network,
    /// Long fibres, as intermediate filaments or actin.
    Fibres,
    /// A ribbon at one side of the nucleus, as the Golgi apparatus.
    Ribbon,
}

/// Dots in a nucleus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dots {
    /// Fewest and most a nucleus.
    pub count: (usize, usize),
    /// Radius, in nuclear radii.
    pub radius: f32,
    /// Light at the centre.
    pub light: f32,
}

/// Light of every part of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Staining {
    /// The pattern.
    pub pattern: Pattern,
    /// How condensed chromatin stands out.
    pub chromatin: Chromatin,
    /// The nucleus without its nucleoli.
    pub nucleoplasm: f32,
    /// Size of the speckles, in nuclear radii.
    pub grain: f32,
    /// Contrast of the speckles: 0 is even, 1 leaves darkness between them.
    pub contrast: f32,
    /// Light of the nucleoli.
    pub nucleoli: f32,
    /// How broken up the nucleoli are, 0..1.
    pub clumpy: f32,
    /// Added at the rim of the nucleus.
    pub membrane: f32,
    /// Dots in the interphase nucleus.
    pub dots: Option<Dots>,
    /// The flat cytoplasm near the nucleus.
    pub cytoplasm: f32,
    /// Arrangement of the cytoplasm.
    pub web: Web,
    /// How much of the cytoplasm's light is in its arrangement, 0..1.
    pub web_contrast: f32,
    /// Condensed chromatin.
    pub plate: f32,
    /// Contrast of the grains that coat it: 0 is even.
    pub coat: f32,
    /// Thickness of a chromosome, as a factor: preparations swell and stains coat them.
    pub stoutness: f32,
    /// Share of the mitotic body's light that condensed chromatin displaces.
    pub shadow: f32,
    /// The round body of a mitotic cell, at its middle.
    pub body: f32,
    /// Contrast of the grains in that body.
    pub body_contrast: f32,
    /// Size of the grains there and on the chromatin, in nuclear radii.
    pub body_grain: f32,
    /// Standard deviation of the logarithm of brightness from cell to cell.
    pub spread: f32,
}

impl Staining {
    /// Draws the recipe of one specimen.
    pub fn draw(pattern: Pattern, rng: &mut ChaCha8Rng) -> Self {
        let mut of = |low: f32, high: f32| rng.random_range(low..high);
        let base = Self {
            pattern,
            chromatin: Chromatin::Dark,
            nucleoplasm: of(0.05, 0.3),
            grain: of(0.06, 0.12),
            contrast: of(0.1, 0.35),
            nucleoli: 0.0,
            clumpy: 0.0,
            membrane: 0.0,
            dots: None,
            cytoplasm: of(0.03, 0.25),
            web: Web::Diffuse,
            web_contrast: of(0.1, 0.5),
            plate: 0.0,
            coat: of(0.05, 0.5),
            stoutness: of(0.85, 1.5),
            shadow: of(0.5, 0.9),
            body: of(0.25, 0.7),
            body_contrast: of(0.2, 1.0),
            body_grain: of(0.035, 0.12),
            spread: of(0.08, 0.35),
        };
        let with = match pattern {
            Pattern::Homogeneous => Self {
                chromatin: Chromatin::Bright,
                nucleoplasm: 1.0,
                grain: of(0.03, 0.16),
                contrast: of(0.02, 0.2),
                nucleoli: of(0.6, 1.25),
                membrane: of(-0.1, 0.3),
                cytoplasm: of(0.02, 0.15),
                plate: of(1.2, 3.0),
                body: of(0.1, 0.55),
                ..base
            },
            Pattern::DenseFineSpeckled => Self {
                chromatin: Chromatin::Bright,
                nucleoplasm: 1.0,
                grain: of(0.06, 0.11),
                contrast: of(0.2, 0.65),
                nucleoli: of(0.3, 0.9),
                cytoplasm: of(0.02, 0.15),
                plate: of(1.1, 2.6),
                body: of(0.15, 0.7),
                ..base
            },
            Pattern::FineSpeckled => Self {
                nucleoplasm: 1.0,
                grain: of(0.03, 0.07),
                contrast: of(0.15, 0.7),
                nucleoli: of(0.15, 0.6),
                body: of(0.35, 0.85),
                ..base
            },
            Pattern::CoarseSpeckled => Self {
                nucleoplasm: 1.0,
                grain: of(0.06, 0.14),
                contrast: of(0.4, 0.9),
                nucleoli: of(0.05, 0.35),
                body: of(0.35, 0.85),
                ..base
            },
            Pattern::Centromere => Self {
                chromatin: Chromatin::Dots,
                nucleoli: 0.05,
                dots: Some(Dots { count: (38, 75), radius: of(0.05, 0.085), light: of(0.8, 1.8) }),
                plate: of(0.0, 0.12),
                shadow: of(0.0, 0.25),
                body: of(0.08, 0.4),
                ..base
            },
            Pattern::Nucleolar => {
                let nucleoplasm = of(0.08, 0.5);
                let kind = of(0.0, 1.0);
                let bright = (0.3..0.85).contains(&kind);
                let body = if bright { of(0.15, 0.7) } else { of(0.3, 1.0) };
                Self {
                    chromatin: match kind {
                        _ if bright => Chromatin::Bright,
                        k if k < 0.85 => Chromatin::Dark,
                        _ => Chromatin::Dots,
                    },
                    nucleoplasm,
                    nucleoli: of(1.0, 2.2),
                    clumpy: of(0.0, 0.9),
                    plate: if bright { body * of(0.7, 3.5) } else { 0.0 },
                    coat: of(0.3, 1.2),
                    shadow: if bright { of(0.3, 0.9) } else { of(0.5, 0.9) },
                    body,
                    body_contrast: of(0.3, 1.3),
                    ..base
                }
            }
            Pattern::NuclearMembrane => {
                Self { nucleoplasm: of(0.15, 0.5), membrane: of(0.6, 1.1), nucleoli: 0.1, ..base }
            }
            Pattern::NuclearDots => {
                let few = of(0.0, 1.0) < 0.4;
                let count = if few { (1, 6) } else { (5, 20) };
                Self {
                    dots: Some(Dots { count, radius: of(0.06, 0.11), light: of(0.8, 2.5) }),
                    nucleoli: 0.05,
                    cytoplasm: of(0.05, 0.5),
                    body: of(0.3, 1.1),
                    body_contrast: of(0.2, 1.2),
                    shadow: of(0.3, 0.9),
                    ..base
                }
            }
            Pattern::Cytoplasmic => {
                let kind = of(0.0, 1.0);
                Self {
                    nucleoplasm: of(0.0, 0.15),
                    cytoplasm: of(0.7, 1.1),
                    web: match kind {
                        k if k < 0.3 => Web::Diffuse,
                        k if k < 0.65 => Web::Network,
                        _ => Web::Fibres,
                    },
                    web_contrast: of(0.4, 0.95),
                    body: of(0.8, 1.8),
                    body_contrast: of(0.2, 0.7),
                    shadow: of(0.5, 0.85),
                    ..base
                }
            }
            Pattern::Golgi => Self {
                cytoplasm: of(0.7, 1.3),
                web: Web::Ribbon,
                web_contrast: of(0.8, 0.95),
                body: of(0.15, 0.5),
                ..base
            },
            Pattern::Negative => {
                let nucleoplasm = of(0.3, 1.3);
                Self {
                    nucleoplasm,
                    nucleoli: nucleoplasm * of(0.5, 1.1),
                    cytoplasm: of(0.25, 0.7),
                    web_contrast: of(0.3, 0.9),
                    body: of(0.6, 1.4),
                    shadow: of(0.5, 0.85),
                    ..base
                }
            }
        };
        with.mixed(rng).dimmed(rng)
    }

    /// Half of the speckled sera also bind chromatin, as compound and AC-29 patterns do: the plate
    /// lights up.
    fn mixed(mut self, rng: &mut ChaCha8Rng) -> Self {
        let speckled = matches!(self.pattern, Pattern::FineSpeckled | Pattern::CoarseSpeckled);
        if speckled && rng.random_bool(0.5) {
            self.chromatin = Chromatin::Bright;
            self.plate = self.body * rng.random_range(0.4..1.8);
            self.coat = rng.random_range(0.1..0.9);
        }
        self
    }

    fn dimmed(mut self, rng: &mut ChaCha8Rng) -> Self {
        if self.pattern == Pattern::Negative {
            let factor = log_uniform(rng, 0.03, 0.2);
            for light in [
                &mut self.nucleoplasm,
                &mut self.nucleoli,
                &mut self.membrane,
                &mut self.cytoplasm,
                &mut self.body,
            ] {
                *light *= factor;
            }
        }
        self
    }
}
