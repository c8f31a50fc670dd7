//! What in a picture looks like a nucleus: the best set of separate blobs from its component tree, and how
//! much any part looks like one.
//!
//! Invariant: the blobs of one picture share no pixel, and neither do the cores of its pieces; every
//! score is within 0 to 1.

use super::component_tree::{Node, Shape, build, half_axes};

/// Spread of the logarithm of a cell's radius over the typical one: plates are smaller, rounded cells
/// larger.
const SIZE_SPREAD: f64 = 0.45;
/// Smallest and largest radius over the typical one.
const SIZES: (f64, f64) = (0.37, 2.1);
/// Area over that of the ellipse of the same moments: below the first a form is none, from the second on
/// it is perfect. Two touching discs have 0.89.
const FILL: (f64, f64) = (0.86, 0.97);
/// Short over long half axis, likewise.
const SLENDERNESS: (f64, f64) = (0.2, 0.4);
/// Radius of the smallest core of a cell that touches another, over the typical radius.
const CORE: f64 = 0.15;
/// Contrast that is worth half of the largest, relative to the field's logarithmic range.
const HALF_CONTRAST: f64 = 0.12;
/// Width of the surroundings that a cell is compared with, relative to the typical radius.
const MARGIN: f64 = 0.5;

/// Two candidates are one cell when the centre of one is so far inside the other (1 is its border), or
/// this share of the smaller box lies in the larger.
const INSIDE: f64 = 0.8;
const COVERED: f64 = 0.7;

/// A blob that may be a cell; places and lengths in pixels of its picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// How much it looks like a cell of the expected size, 0 to 1.
    pub score: f64,
    /// Number of pixels.
    pub area: f64,
    /// Left, top, right and bottom edge.
    pub edges: [f64; 4],
    /// Mean level of its pixels.
    pub level: f64,
    /// How much what is around a dark one looks like a cytoplasm, 0 to 1.
    pub cytoplasm: f64,
    center: [f64; 2],
    covariance: [f64; 3],
}

impl Candidate {
    /// The same blob in a picture that is larger by these factors.
    pub fn scaled(self, [x, y]: [f64; 2]) -> Self {
        let [left, top, right, bottom] = self.edges;
        let [xx, xy, yy] = self.covariance;
        Self {
            area: self.area * x * y,
            edges: [left * x, top * y, right * x, bottom * y],
            center: [self.center[0] * x, self.center[1] * y],
            covariance: [xx * x * x, xy * x * y, yy * y * y],
            ..self
        }
    }

    /// Radius of the disc of the same area.
    pub fn radius(&self) -> f64 {
        (self.area / std::f64::consts::PI).sqrt()
    }

    /// Mean place.
    pub fn center(&self) -> [f64; 2] {
        self.center
    }

    /// No candidate of at most this size overlaps this one from further away, along x or y.
    pub fn range(&self) -> f64 {
        let [left, top, right, bottom] = self.edges;
        (2.0 - COVERED) * (right - left).max(bottom - top)
    }

    /// Whether two candidates are views of one cell: the centre of one is well inside the other, or the
    /// smaller box lies mostly in the larger.
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.reach(other.center) < INSIDE || other.reach(self.center) < INSIDE {
            return true;
        }
        let (a, b) = (self.edges, other.edges);
        let common = |i: usize| (a[i + 2].min(b[i + 2]) - a[i].max(b[i])).max(0.0);
        let size = |e: [f64; 4]| (e[2] - e[0]) * (e[3] - e[1]);
        common(0) * common(1) > COVERED * size(a).min(size(b))
    }

    /// How far out a point lies: 0 at the centre, 1 on the ellipse of the same moments.
    fn reach(&self, [x, y]: [f64; 2]) -> f64 {
        let [xx, xy, yy] = self.covariance;
        let (x, y) = (x - self.center[0], y - self.center[1]);
        let squared = (yy * x * x - 2.0 * xy * x * y + xx * y * y) / (xx * yy - xy * xy);
        squared.max(0.0).sqrt() / 2.0
    }
}

/// What cells are searched in: a picture in which they are bright.
pub(super) struct View<'a> {
    levels: &'a [u16],
    width: usize,
    /// The expected radius in pixels.
    radius: f64,
    /// The levels between black and white.
    range: f64,
    sums: Sums,
}

impl<'a> View<'a> {
    /// Prepares the search for blobs of about `radius` pixels.
    pub fn new(levels: &'a [u16], width: usize, radius: f64, range: f64) -> Self {
        Self { levels, width, radius, range, sums: Sums::of(levels, width) }
    }

    /// The set of separate bright blobs with the largest sum of scores.
    pub fn blobs(&self) -> Vec<Candidate> {
        let nodes = build(self.levels, self.levels, self.width, self.least(SIZES.0));
        let view = |node: &Node| {
            let blob = Blob::of(&node.shape, 0.0);
            let mean = node.mass / node.shape.area;
            let surplus = mean - self.around(&blob, node.mass);
            // What is wider than at half its height holds the foot of a blurred edge.
            let height = (f64::from(node.level) - (mean - surplus)) / surplus;
            blob.judged(self.radius, mean, surplus / self.range, (height / 0.5).clamp(0.0, 1.0))
        };
        let chosen = chosen(&nodes, view, |own, pieces, _| own >= pieces);
        chosen.into_iter().map(|(_, blob)| blob).collect()
    }

    /// The blobs into which the foreground falls when its outline is moved inwards until it parts at
    /// its necks; a blob with a neck stays whole unless its pieces look more like cells.
    pub fn pieces(&self, foreground: &[bool]) -> Vec<Candidate> {
        let depths = depths(foreground, self.width);
        let nodes = build(&depths, self.levels, self.width, self.least(CORE));
        let view = |node: &Node| {
            if node.level == 0 {
                return None;
            }
            // The middle of the outermost pixels is half a pixel inside the outline.
            let depth = f64::from(node.level) / f64::from(STEPS.0) - 1.0;
            let blob = Blob::of(&node.shape, depth);
            let mean = node.mass / node.shape.area;
            let surplus = mean - self.around(&blob, mean * blob.area);
            blob.judged(self.radius, mean, surplus / self.range, 1.0)
        };
        let chosen = chosen(&nodes, view, |own, pieces, number| own * number as f64 >= pieces);
        // How many of them come from the same part of the foreground.
        let mut roots: Vec<usize> = (0..nodes.len()).collect();
        for i in (0..nodes.len()).rev() {
            if nodes[nodes[i].parent].level > 0 {
                roots[i] = roots[nodes[i].parent];
            }
        }
        let mut numbers = vec![0; nodes.len()];
        chosen.iter().for_each(|(i, _)| numbers[roots[*i]] += 1);
        let split = chosen.into_iter().filter(|(i, _)| numbers[roots[*i]] > 1);
        split.map(|(_, piece)| piece).collect()
    }

    /// Pixels of a disc of a radius relative to the expected one.
    fn least(&self, size: f64) -> u32 {
        ((size * self.radius).powi(2) * std::f64::consts::PI) as u32
    }

    /// Mean level of what else is in a blob's box and a margin around it.
    fn around(&self, blob: &Blob, mass: f64) -> f64 {
        let margin = (MARGIN * self.radius).round().max(1.0);
        let (sum, area) = self.sums.within(blob.edges, margin);
        (sum - mass) / (area - blob.area).max(1.0)
    }
}

/// The form of a part.
pub(super) struct Blob {
    area: f64,
    edges: [f64; 4],
    /// Mean place.
    pub center: [f64; 2],
    covariance: [f64; 3],
}

impl Blob {
    /// What an outline of `points` around a centre holds; `None` when that is nothing.
    pub fn within_outline(center: [f64; 2], points: &[[f64; 2]]) -> Option<Self> {
        // From triangles between the centre and two neighbouring points.
        let (mut area, mut sum, mut squares) = (0.0, [0.0; 2], [0.0; 3]);
        for (i, p) in points.iter().enumerate() {
            let q = points[(i + 1) % points.len()];
            let part = (p[0] * q[1] - p[1] * q[0]) / 2.0;
            let far = [p[0] + q[0], p[1] + q[1]];
            area += part;
            (0..2).for_each(|k| sum[k] += part * far[k] / 3.0);
            for (square, (a, b)) in squares.iter_mut().zip([(0, 0), (0, 1), (1, 1)]) {
                *square += part / 12.0 * (p[a] * p[b] + q[a] * q[b] + far[a] * far[b]);
            }
        }
        if area <= 0.0 {
            return None;
        }
        let [x, y] = sum.map(|s| s / area);
        let [xx, xy, yy] = squares.map(|s| s / area);
        let edge = |k: usize, pick: fn(f64, f64) -> f64| {
            points.iter().map(|p| p[k]).fold(points[0][k], pick) + center[k]
        };
        Some(Self {
            area,
            edges: [edge(0, f64::min), edge(1, f64::min), edge(0, f64::max), edge(1, f64::max)],
            center: [center[0] + x, center[1] + y],
            covariance: [xx - x * x, xy - x * y, yy - y * y],
        })
    }

    /// How much it looks like a cell of an expected radius. `level` is its mean, `contrast` how much
    /// that differs from the surroundings, relative to the field's logarithmic range, and `tight` is 0
    /// to 1; `None` when its size or contrast is no cell's.
    pub fn judged(self, radius: f64, level: f64, contrast: f64, tight: f64) -> Option<Candidate> {
        let Self { area, edges, center, covariance } = self;
        let size = (area / std::f64::consts::PI).sqrt() / radius;
        if !(SIZES.0..SIZES.1).contains(&size) || contrast <= 0.0 {
            return None;
        }
        let [long, short] = half_axes(covariance);
        let fill = area / (std::f64::consts::PI * long * short);
        let within =
            |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low)).clamp(0.0, 1.0);
        let form = within(fill, FILL) * within(short / long, SLENDERNESS);
        let expected = (-0.5 * (size.ln() / SIZE_SPREAD).powi(2)).exp();
        let score = expected * form * tight * contrast / (contrast + HALF_CONTRAST);
        Some(Candidate { score, area, edges, level, cytoplasm: 1.0, center, covariance })
    }

    /// A part grown by a length to all sides.
    fn of(shape: &Shape, grown: f64) -> Self {
        let [left, top, right, bottom] = shape.bounds.map(f64::from);
        let [xx, xy, yy] = shape.covariance();
        let [long, short] = shape.half_axes();
        // The square root of the covariance has half the half axes along the same directions.
        let (root, sum) = (long * short / 4.0, (long + short) / 2.0);
        let half = [(xx + root) / sum, xy / sum, (yy + root) / sum];
        let own = grown * grown / 4.0;
        Self {
            area: shape.area * (long + grown) * (short + grown) / (long * short),
            edges: [left - grown, top - grown, right + 1.0 + grown, bottom + 1.0 + grown],
            center: shape.center(),
            covariance: [
                xx + grown * half[0] + own,
                xy + grown * half[1],
                yy + grown * half[2] + own,
            ],
        }
    }
}

/// From the smallest parts outwards: a part is taken whole where `whole` says so of its score, the sum
/// of those of its pieces and their number.
fn chosen(
    nodes: &[Node],
    view: impl Fn(&Node) -> Option<Candidate>,
    whole: impl Fn(f64, f64, usize) -> bool,
) -> Vec<(usize, Candidate)> {
    let mut pieces = vec![(0.0f64, 0); nodes.len()];
    let mut wholes: Vec<Option<Candidate>> = Vec::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        let (sum, number) = pieces[i];
        let own = view(node).filter(|own| own.score > 0.0 && whole(own.score, sum, number));
        if node.parent != i {
            let (score, count) = own.map_or((sum, number), |own| (own.score, 1));
            pieces[node.parent].0 += score;
            pieces[node.parent].1 += count;
        }
        wholes.push(own);
    }
    let mut taken = vec![false; nodes.len()];
    let mut chosen = Vec::new();
    for (i, own) in wholes.into_iter().enumerate().rev() {
        let parent = nodes[i].parent;
        let within = parent != i && taken[parent];
        taken[i] = within || own.is_some();
        chosen.extend(own.filter(|_| !within).map(|own| (i, own)));
    }
    chosen
}

/// Depth of a step along the axes and along the diagonals: the usual 3-4 chamfer distance.
const STEPS: (u16, u16) = (3, 4);

/// How deep every pixel lies in the foreground, 0 outside of it; the picture's border is no outline.
fn depths(foreground: &[bool], width: usize) -> Vec<u16> {
    let mut depths: Vec<u16> =
        foreground.iter().map(|inside| if *inside { u16::MAX - 2 * STEPS.1 } else { 0 }).collect();
    let last = depths.len() - 1;
    for backwards in [false, true] {
        for step in 0..depths.len() {
            let i = if backwards { last - step } else { step };
            // How far it is to the side and to the row that were visited before.
            let x = if backwards { width - 1 - i % width } else { i % width };
            let at =
                |back: usize| step.checked_sub(back).map(|s| if backwards { last - s } else { s });
            let sides = [
                (x > 0, 1, STEPS.0),
                (true, width, STEPS.0),
                (x > 0, width + 1, STEPS.1),
                (x + 1 < width, width - 1, STEPS.1),
            ];
            for (within, back, length) in sides {
                if let (true, Some(side)) = (within, at(back)) {
                    depths[i] = depths[i].min(depths[side] + length);
                }
            }
        }
    }
    depths
}

/// Sums of the levels over every rectangle that starts in the corner.
struct Sums {
    sums: Vec<f64>,
    width: usize,
    height: usize,
}

impl Sums {
    fn of(levels: &[u16], width: usize) -> Self {
        let height = levels.len() / width;
        let mut sums = vec![0.0; (width + 1) * (height + 1)];
        for (y, row) in levels.chunks_exact(width).enumerate() {
            let mut sum = 0.0;
            for (x, level) in row.iter().enumerate() {
                sum += f64::from(*level);
                sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + sum;
            }
        }
        Self { sums, width, height }
    }

    /// Sum and number of the levels within a box and a margin around it.
    fn within(&self, edges: [f64; 4], margin: f64) -> (f64, f64) {
        let [left, top, right, bottom] = edges;
        let first = |edge: f64| (edge - margin).max(0.0) as usize;
        let (left, top) = (first(left), first(top));
        let right = ((right + margin) as usize).min(self.width);
        let bottom = ((bottom + margin) as usize).min(self.height);
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let sum = at(right, bottom) - at(right, top) - at(left, bottom) + at(left, top);
        (sum, ((right - left) * (bottom - top)) as f64)
    }
}
