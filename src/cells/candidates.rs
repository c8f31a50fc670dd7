//! What in a picture looks like a nucleus: the best set of separate blobs from its component tree.
//!
//! Invariant: the candidates of one picture share no pixel; every score is within 0 to 1.

use super::component_tree::{Node, build};

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

/// The set of separate bright blobs with the largest sum of scores.
///
/// `radius` is the expected one in pixels, `range` the levels between black and white.
pub(super) fn find(levels: &[u16], width: usize, radius: f64, range: f64) -> Vec<Candidate> {
    let least = (SIZES.0 * radius).powi(2) * std::f64::consts::PI;
    let nodes = build(levels, width, least as u32);
    let sums = Sums::of(levels, width);
    let margin = (MARGIN * radius).round().max(1.0) as usize;
    let view = |node| candidate(node, radius, sums.surplus(node, margin), range);

    // From the smallest parts outwards: a part is taken whole where that is worth more than its pieces.
    let mut pieces = vec![0.0f64; nodes.len()];
    let mut whole: Vec<Option<Candidate>> = Vec::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        let own = view(node).filter(|own| own.score > 0.0 && own.score >= pieces[i]);
        if node.parent != i {
            pieces[node.parent] += own.map_or(pieces[i], |own| own.score);
        }
        whole.push(own);
    }
    let mut taken = vec![false; nodes.len()];
    let mut chosen = Vec::new();
    for (i, own) in whole.into_iter().enumerate().rev() {
        let parent = nodes[i].parent;
        let within = parent != i && taken[parent];
        taken[i] = within || own.is_some();
        chosen.extend(own.filter(|_| !within));
    }
    chosen
}

fn candidate(node: &Node, radius: f64, surplus: f64, range: f64) -> Option<Candidate> {
    let shape = &node.shape;
    let size = shape.radius() / radius;
    if !(SIZES.0..SIZES.1).contains(&size) || surplus <= 0.0 {
        return None;
    }
    let [long, short] = shape.half_axes();
    let fill = shape.area / (std::f64::consts::PI * long * short);
    let within =
        |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low)).clamp(0.0, 1.0);
    let form = within(fill, FILL) * within(short / long, SLENDERNESS);
    let expected = (-0.5 * (size.ln() / SIZE_SPREAD).powi(2)).exp();
    let contrast = surplus / range;
    let inside = node.mass / shape.area;
    // What is wider than at half its height holds the foot of a blurred edge.
    let height = (f64::from(node.level) - (inside - surplus)) / surplus;
    let tight = (height / 0.5).clamp(0.0, 1.0);
    let [left, top, right, bottom] = shape.bounds.map(f64::from);
    Some(Candidate {
        score: expected * form * tight * contrast / (contrast + HALF_CONTRAST),
        area: shape.area,
        edges: [left, top, right + 1.0, bottom + 1.0],
        level: inside,
        center: shape.center(),
        covariance: shape.covariance(),
    })
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

    /// Mean level of a node over that of what else is in its box and a margin around it.
    fn surplus(&self, node: &Node, margin: usize) -> f64 {
        let [left, top, right, bottom] = node.shape.bounds.map(|v| v as usize);
        let (left, top) = (left.saturating_sub(margin), top.saturating_sub(margin));
        let right = (right + 1 + margin).min(self.width);
        let bottom = (bottom + 1 + margin).min(self.height);
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let sum = at(right, bottom) - at(right, top) - at(left, bottom) + at(left, top);
        let around = ((right - left) * (bottom - top)) as f64 - node.shape.area;
        node.mass / node.shape.area - (sum - node.mass) / around.max(1.0)
    }
}
