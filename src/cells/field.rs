//! A field as it is segmented: how large its cells are, and where.
//!
//! Invariant: sizes enter only relative to the typical radius, which the field itself tells.

use std::collections::HashMap;

use super::candidates::{Candidate, View};
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
/// Score of a candidate that clearly is a cell.
const CLEAR: f64 = 0.4;
/// Smallest score.
const LEAST_SCORE: f64 = 0.1;
/// Radius of the dark nucleus of a bright cell, relative to that of the cell.
const DARK_NUCLEUS: (f32, f32) = (0.45, 0.75);
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
            let clear = separate(self.candidates(nuclei, radius, RADIUS.0), CLEAR);
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

    /// What nuclei look like and their radius in working pixels: that at which blobs of one size explain
    /// most of the field.
    pub fn typical(&self) -> (Nuclei, f32) {
        let least = (LEAST_RADIUS.0 / self.scale[0] as f32).max(LEAST_RADIUS.1);
        let most = LARGEST * self.size.0.min(self.size.1) as f32;
        let steps = (0..).map(|i| least * std::f32::consts::SQRT_2.powi(i));
        let radii: Vec<f32> = steps.take_while(|radius| *radius <= most).collect();
        let search = |nuclei, radius| self.blobs(nuclei, radius, RADIUS.0, SEARCH_BLUR);
        let total = |cells: &[Candidate]| -> f64 {
            cells.iter().map(|cell| cell.score * cell.area.powf(AREA_WEIGHT)).sum()
        };
        let clear = |cells: &[Candidate]| cells.iter().filter(|cell| cell.score > CLEAR).count();
        let (mut radius, mut best, mut number) = (least, 0.0, 0);
        for r in &radii {
            let cells = search(Nuclei::Bright, *r);
            if total(&cells) > best {
                (radius, best, number) = (*r, total(&cells), clear(&cells));
            }
        }
        let dark =
            radii.iter().filter(|r| (DARK_NUCLEUS.0..DARK_NUCLEUS.1).contains(&(*r / radius)));
        let dark = dark.map(|r| (*r, clear(&search(Nuclei::Dark, *r)))).max_by_key(|(_, n)| *n);
        match dark {
            Some((r, n)) if n >= DARK_NUMBER && n as f32 > DARK_SHARE * number as f32 => {
                (Nuclei::Dark, r)
            }
            _ => (Nuclei::Bright, radius),
        }
    }

    /// Candidates at both blurs, and bright ones that touch, in working pixels.
    fn candidates(&self, nuclei: Nuclei, radius: f32, coarse: f32) -> Vec<Candidate> {
        let blobs = |blur: &f32| self.blobs(nuclei, radius, coarse, *blur);
        let mut candidates: Vec<Candidate> = BLURS.iter().flat_map(blobs).collect();
        // What is dark and has a neck is a gap between cells.
        if nuclei == Nuclei::Bright {
            candidates.extend(self.search(
                nuclei,
                radius,
                coarse,
                BLURS[0],
                |view, grey, width| {
                    let around = gaussian_blur(grey, width, SURROUNDINGS * radius.min(coarse));
                    let stands_out = |(v, mean): (&f32, &f32)| v - mean > RISE;
                    let foreground: Vec<bool> = grey.iter().zip(&around).map(stands_out).collect();
                    view.pieces(&foreground)
                },
            ));
        }
        candidates
    }

    /// Blobs of about `radius` working pixels, found on a copy in which that is `coarse` pixels.
    fn blobs(&self, nuclei: Nuclei, radius: f32, coarse: f32, blur: f32) -> Vec<Candidate> {
        self.search(nuclei, radius, coarse, blur, |view, _, _| view.blobs())
    }

    /// What `find` finds in a blurred copy of the field in which `radius` is at most `coarse` pixels;
    /// it is given the copy as a view, and its logarithmic grey with the width.
    fn search(
        &self,
        nuclei: Nuclei,
        radius: f32,
        coarse: f32,
        blur: f32,
        find: impl Fn(&View, &[f32], usize) -> Vec<Candidate>,
    ) -> Vec<Candidate> {
        let shrinkage = (radius / coarse).max(1.0);
        let side = |length: usize| ((length as f32 / shrinkage).round() as usize).max(1);
        let size = (side(self.size.0), side(self.size.1));
        let small = shrink(&self.pixels, self.size, size);
        let radius = radius / shrinkage;
        let blurred = gaussian_blur(&small, size.0, blur * radius);
        let level = |v: &f32| match nuclei {
            Nuclei::Bright => (v * LEVELS.0) as u16,
            Nuclei::Dark => (LEVELS.1 - v * LEVELS.0).max(0.0) as u16,
        };
        let levels: Vec<u16> = blurred.iter().map(level).collect();
        let scale = [self.size.0 as f64 / size.0 as f64, self.size.1 as f64 / size.1 as f64];
        let view = View::new(&levels, size.0, f64::from(radius), f64::from(LEVELS.0));
        let in_cell = |blob: &Candidate| {
            nuclei == Nuclei::Bright || f64::from(LEVELS.1) - blob.level > f64::from(GAP * LEVELS.0)
        };
        let found = find(&view, &blurred, size.0);
        found.into_iter().filter(in_cell).map(|blob| blob.scaled(scale)).collect()
    }
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
