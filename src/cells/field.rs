//! A field as it is segmented: how large its cells are, and where.
//!
//! Invariant: sizes enter only relative to the typical radius, which the field itself tells.

use std::collections::HashMap;

use super::candidates::{Candidate, View};
use super::outline::Outlines;
use super::scale_bar::scale_bar;
use crate::GreyImage;
use crate::grey::{gaussian_blur, percentile, shrink, shrunk_size};

/// Long side of the working copy of the field, in pixels.
const WORKING_SIDE: usize = 1400;
/// Percentiles of the grey that become black and white.
const STRETCH: (f32, f32) = (0.5, 99.8);
/// Softening of the logarithmic stretch, relative to its range: a mitotic plate is many times brighter
/// than a dim nucleus, and both must stand out.
const LOG_SOFTENING: f32 = 0.05;
/// Levels between black and white, and up to the brightest that is told apart.
const LEVELS: (f32, f32) = (1000.0, 1100.0);
/// Smallest grey range that can hold a cell.
const LEAST_RANGE: f32 = 1e-4;
/// Smallest typical radius, in image pixels and in working pixels: below it are dots and grain.
const LEAST_RADIUS: (f32, f32) = (12.0, 4.0);
/// Radius in pixels at which cells are searched while the typical radius is unknown, and then.
const RADIUS: (f32, f32) = (6.0, 12.0);
/// Blurs relative to the radius: while searching, and then. The narrow one keeps touching nuclei apart,
/// the wide one makes one blob of a nucleus of dots.
const SEARCH_BLUR: f32 = 0.15;
const BLURS: [f32; 2] = [0.1, 0.25];
/// Width of the surroundings whose mean the foreground exceeds, relative to the radius, and by how much
/// of the logarithmic range.
const SURROUNDINGS: f32 = 0.8;
const RISE: f32 = 0.05;
/// Largest searched radius, relative to the short side.
const LARGEST: f32 = 1.0 / 3.0;
/// Weight of a candidate's area in the choice of the radius: below one, so that nuclei win over the
/// cells and gaps around them, above a half, so that they win over their dots.
const AREA_WEIGHT: f64 = 0.75;
/// The same for dark nuclei, of which none has dark dots.
const DARK_AREA_WEIGHT: f64 = 0.85;
/// Score of a candidate that clearly is a cell.
const CLEAR: f64 = 0.4;
/// The same for a dark one, whose contrast is that of the weaker parts of its outline.
const CLEAR_DARK: f64 = 0.25;
/// Smallest score.
const LEAST_SCORE: f64 = 0.1;
/// Radius of the dark nucleus of a bright cell, relative to that of the cell, and the smallest that it must
/// explain more than.
const DARK_NUCLEUS: (f32, f32) = (0.45, 0.75);
const DARK_SEARCH: f32 = 0.3;
/// A field has dark nuclei when it has this many of them, and so many for every bright cell.
const DARK_NUMBER: usize = 4;
const DARK_SHARE: f32 = 0.3;
/// A dark nucleus is brighter than this part of the logarithmic range: else it is a gap between cells.
const GAP: f32 = 0.25;

/// Whether nuclei are brighter or darker than what is around them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Nuclei {
    /// Stained nuclei, or dots in them.
    Bright,
    /// A stained cytoplasm around them.
    Dark,
}

impl Nuclei {
    /// Score of what clearly is one.
    fn clear(self) -> f64 {
        match self {
            Self::Bright => CLEAR,
            Self::Dark => CLEAR_DARK,
        }
    }

    /// Weight of its area in the choice of the radius.
    fn area_weight(self) -> f64 {
        match self {
            Self::Bright => AREA_WEIGHT,
            Self::Dark => DARK_AREA_WEIGHT,
        }
    }
}

/// The working copy of a field, stretched before anything is blurred: an edge then stays at the middle of
/// its slope, however bright it is.
pub(super) struct Field {
    /// Logarithm of the grey: 0 is black, 1 white.
    pixels: Vec<f32>,
    size: (usize, usize),
    /// Image pixels of a working pixel, along x and y.
    scale: [f64; 2],
}

impl Field {
    /// Scales the field down and paints its scale bar black; `None` when the field has no contrast.
    pub fn new(image: &GreyImage) -> Option<Self> {
        let full = (image.width(), image.height());
        let size = shrunk_size(full.0, full.1, WORKING_SIDE);
        let mut pixels = shrink(image.pixels(), full, size);
        let scale = [full.0 as f64 / size.0 as f64, full.1 as f64 / size.1 as f64];
        stretch(&mut pixels)?;
        if let Some(bar) = scale_bar(image) {
            // One pixel more: the bar's border is blurred by the scaling.
            let place = |from: f32, to: f32, scale: f64, end: usize| {
                let first = (f64::from(from) / scale - 1.0).max(0.0) as usize;
                first..((f64::from(to) / scale).ceil() as usize + 1).min(end)
            };
            let black = pixels.iter().copied().fold(f32::INFINITY, f32::min);
            for y in place(bar.y, bar.y + bar.h, scale[1], size.1) {
                pixels[y * size.0..][place(bar.x, bar.x + bar.w, scale[0], size.0)].fill(black);
            }
        }
        Some(Self { pixels, size, scale })
    }

    /// The cells, best first, in image pixels.
    pub fn cells(&self) -> Vec<Candidate> {
        let (nuclei, start) = self.typical();
        let mut radius = start;
        for _ in 0..2 {
            let clear = separate(self.candidates(nuclei, radius, RADIUS.0), nuclei.clear());
            radius = weighted_median(&clear).unwrap_or(radius);
        }
        let mut found = separate(self.candidates(nuclei, radius, RADIUS.1), LEAST_SCORE);
        if nuclei == Nuclei::Dark {
            // A cell in division has rounded up, and its nucleus is no more.
            let round = separate(self.candidates(Nuclei::Bright, radius, RADIUS.1), CLEAR);
            for cell in round {
                if !found.iter().any(|other| other.overlaps(&cell)) {
                    found.push(cell);
                }
            }
        }
        found.into_iter().map(|cell| cell.scaled(self.scale)).collect()
    }

    /// What nuclei look like and their radius in working pixels: that at which parts of one size explain
    /// most of the field. Dark nuclei are smaller than the bright cells they lie in, and larger than the
    /// gaps of a texture: among all smaller radii, theirs explains most.
    fn typical(&self) -> (Nuclei, f32) {
        let least = (LEAST_RADIUS.0 / self.scale[0] as f32).max(LEAST_RADIUS.1);
        let most = LARGEST * self.size.0.min(self.size.1) as f32;
        let steps = (0..).map(|i| least * std::f32::consts::SQRT_2.powi(i));
        let radii: Vec<f32> = steps.take_while(|radius| *radius <= most).collect();
        // The radius with the largest total, and what is clear at it.
        let best = |nuclei: Nuclei, radii: &[f32]| {
            let mut best = (least, Vec::new(), 0.0);
            for radius in radii {
                let mut cells = self.blobs(nuclei, *radius, RADIUS.0, SEARCH_BLUR);
                if nuclei == Nuclei::Dark {
                    cells.iter_mut().for_each(|cell| cell.score *= cell.cytoplasm);
                    // One nucleus is found from several dark places.
                    cells = separate(cells, 0.0);
                }
                let weight = nuclei.area_weight();
                let total: f64 = cells.iter().map(|c| c.score * c.area.powf(weight)).sum();
                if total > best.2 {
                    cells.retain(|cell| cell.score > nuclei.clear());
                    best = (*radius, cells, total);
                }
            }
            (best.0, best.1)
        };
        let (bright, cells) = best(Nuclei::Bright, &radii);
        let number = cells.len();
        let (below, above) = (DARK_SEARCH * bright, DARK_NUCLEUS.1 * bright);
        let radii: Vec<f32> = radii.into_iter().filter(|r| (below..above).contains(r)).collect();
        let (dark, cells) = best(Nuclei::Dark, &radii);
        let is_dark = dark > DARK_NUCLEUS.0 * bright
            && cells.len() >= DARK_NUMBER
            && cells.len() as f32 > DARK_SHARE * number as f32;
        if is_dark { (Nuclei::Dark, dark) } else { (Nuclei::Bright, bright) }
    }

    /// Candidates at both blurs, and bright ones that touch, in working pixels.
    fn candidates(&self, nuclei: Nuclei, radius: f32, coarse: f32) -> Vec<Candidate> {
        let blobs = |blur: &f32| self.blobs(nuclei, radius, coarse, *blur);
        let mut candidates: Vec<Candidate> = BLURS.iter().flat_map(blobs).collect();
        if nuclei == Nuclei::Bright {
            candidates.extend(self.search(radius, coarse, BLURS[0], |grey, width, radius| {
                let around = gaussian_blur(grey, width, SURROUNDINGS * radius);
                let stands_out = |(v, mean): (&f32, &f32)| v - mean > RISE;
                let foreground: Vec<bool> = grey.iter().zip(&around).map(stands_out).collect();
                let levels = levels(grey);
                View::new(&levels, width, f64::from(radius), f64::from(LEVELS.0))
                    .pieces(&foreground)
            }));
        }
        candidates
    }

    /// Bright blobs or dark outlines of about `radius` working pixels, found on a copy in which that is `coarse` pixels.
    fn blobs(&self, nuclei: Nuclei, radius: f32, coarse: f32, blur: f32) -> Vec<Candidate> {
        self.search(radius, coarse, blur, |grey, width, radius| match nuclei {
            Nuclei::Bright => {
                let levels = levels(grey);
                View::new(&levels, width, f64::from(radius), f64::from(LEVELS.0)).blobs()
            }
            Nuclei::Dark => {
                let outlines = Outlines { grey, width, radius: f64::from(radius) };
                let mut found = outlines.candidates();
                found.retain(|blob| blob.level > f64::from(GAP));
                found
            }
        })
    }

    /// What `find` finds in a blurred copy of the field in which `radius` is at most `coarse` pixels;
    /// it is given the copy's logarithmic grey, its width and the radius in it.
    fn search(
        &self,
        radius: f32,
        coarse: f32,
        blur: f32,
        find: impl Fn(&[f32], usize, f32) -> Vec<Candidate>,
    ) -> Vec<Candidate> {
        let shrinkage = (radius / coarse).max(1.0);
        let side = |length: usize| ((length as f32 / shrinkage).round() as usize).max(1);
        let size = (side(self.size.0), side(self.size.1));
        let small = shrink(&self.pixels, self.size, size);
        let radius = radius / shrinkage;
        let blurred = gaussian_blur(&small, size.0, blur * radius);
        let scale = [self.size.0 as f64 / size.0 as f64, self.size.1 as f64 / size.1 as f64];
        let found = find(&blurred, size.0, radius);
        found.into_iter().map(|blob| blob.scaled(scale)).collect()
    }
}

/// The levels of logarithmic grey.
fn levels(grey: &[f32]) -> Vec<u16> {
    grey.iter().map(|v| (v * LEVELS.0) as u16).collect()
}

/// Turns grey into its logarithm, black to 0 and white to 1; `None` when there is no contrast.
fn stretch(pixels: &mut [f32]) -> Option<()> {
    let mut ranked = pixels.to_vec();
    let black = percentile(&mut ranked, STRETCH.0);
    let range = percentile(&mut ranked, STRETCH.1) - black;
    if range < LEAST_RANGE {
        return None;
    }
    let white = (1.0 / LOG_SOFTENING).ln_1p();
    for v in pixels {
        let height = ((*v - black) / range).max(0.0);
        *v = ((height / LOG_SOFTENING).ln_1p() / white).min(LEVELS.1 / LEVELS.0);
    }
    Some(())
}

/// The best candidates of those with a score above `least`, none of which overlaps a better one.
fn separate(mut candidates: Vec<Candidate>, least: f64) -> Vec<Candidate> {
    candidates.retain(|candidate| candidate.score > least);
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = Neighbours::new(candidates.iter().map(Candidate::range).fold(1.0, f64::max));
    candidates.retain(|candidate| {
        let free = !kept.any(candidate, |better| better.overlaps(candidate));
        if free {
            kept.add(*candidate);
        }
        free
    });
    candidates
}

/// Candidates by place: what overlaps a candidate is in its square or in one beside it.
struct Neighbours {
    /// No two overlap from further away, along x or y.
    side: f64,
    squares: HashMap<[i64; 2], Vec<Candidate>>,
}

impl Neighbours {
    fn new(side: f64) -> Self {
        Self { side, squares: HashMap::new() }
    }

    fn square(&self, candidate: &Candidate) -> [i64; 2] {
        candidate.center().map(|v| (v / self.side).floor() as i64)
    }

    fn add(&mut self, candidate: Candidate) {
        self.squares.entry(self.square(&candidate)).or_default().push(candidate);
    }

    fn any(&self, candidate: &Candidate, is: impl Fn(&Candidate) -> bool) -> bool {
        let [x, y] = self.square(candidate);
        let around = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| [x, y]));
        around.filter_map(|square| self.squares.get(&square)).flatten().any(is)
    }
}

/// Radius that halves the sum of the scores.
fn weighted_median(candidates: &[Candidate]) -> Option<f32> {
    let mut radii: Vec<(f64, f64)> = candidates.iter().map(|c| (c.radius(), c.score)).collect();
    radii.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = radii.iter().map(|r| r.1).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let middle = radii.iter().find(|r| {
        sum += r.1;
        sum >= half
    });
    middle.map(|r| r.0 as f32)
}
