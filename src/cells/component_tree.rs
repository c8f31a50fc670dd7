//! The tree of all bright parts of a picture: what is connected at one level lies within what is
//! connected at the next lower one.
//!
//! Invariant: every node stands before its parent, the whole picture last; a node's shape counts each
//! of its pixels once.

/// Place and extent of a set of pixels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// Number of pixels.
    pub area: f64,
    /// Outermost columns and rows, inclusive: left, top, right, bottom.
    pub bounds: [u32; 4],
    sum: [f64; 2],
    squares: [f64; 3],
}

impl Shape {
    fn pixel(x: u32, y: u32) -> Self {
        let (fx, fy) = (f64::from(x), f64::from(y));
        Self {
            area: 1.0,
            bounds: [x, y, x, y],
            sum: [fx, fy],
            squares: [fx * fx, fx * fy, fy * fy],
        }
    }

    fn add(&mut self, other: &Self) {
        let [left, top, right, bottom] = other.bounds;
        let [l, t, r, b] = self.bounds;
        self.bounds = if self.area == 0.0 {
            other.bounds
        } else {
            [l.min(left), t.min(top), r.max(right), b.max(bottom)]
        };
        self.area += other.area;
        self.sum.iter_mut().zip(other.sum).for_each(|(a, b)| *a += b);
        self.squares.iter_mut().zip(other.squares).for_each(|(a, b)| *a += b);
    }

    /// Mean place, in pixels from the picture's corner.
    pub fn center(&self) -> [f64; 2] {
        self.sum.map(|s| s / self.area + 0.5)
    }

    /// Variance along x, covariance, variance along y.
    pub fn covariance(&self) -> [f64; 3] {
        let [x, y] = self.sum.map(|s| s / self.area);
        let [xx, xy, yy] = self.squares.map(|s| s / self.area);
        // A pixel is a square, not a point.
        [xx - x * x + 1.0 / 12.0, xy - x * y, yy - y * y + 1.0 / 12.0]
    }

    /// Half axes of the ellipse of the same second moments, the longer one first.
    pub fn half_axes(&self) -> [f64; 2] {
        half_axes(self.covariance())
    }
}

/// Half axes of the ellipse with these second moments, the longer one first.
pub(super) fn half_axes([xx, xy, yy]: [f64; 3]) -> [f64; 2] {
    let (mean, spread) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
    [mean + spread, mean - spread].map(|variance| 2.0 * variance.max(1.0 / 12.0).sqrt())
}

/// What is connected at one level.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The lowest level of its pixels.
    pub level: u16,
    /// Its pixels, those of all its children included.
    pub shape: Shape,
    /// Sum of the masses of its pixels.
    pub mass: f64,
    /// The node it lies in; itself for the whole picture.
    pub parent: usize,
}

/// Builds the tree over pixels that touch by a side, without the nodes below `least` pixels.
///
/// The picture is flooded from its brightest parts, as Nistér and Stewénius do for their extremal
/// regions (ECCV 2008): the brightest pixel at the border of what is flooded is next, so memory is
/// visited in the order of the picture and the parts that are open form a stack. `masses` are what
/// the pixels add to a node's mass.
pub(super) fn build(levels: &[u16], masses: &[u16], width: usize, least: u32) -> Vec<Node> {
    let stride = width + 2;
    let mut unseen = padded(levels, width);
    let mut border = Border::new(levels.iter().copied().max().unwrap_or(0));
    let mut flood = Flood { least: f64::from(least), ..Flood::default() };
    let mut next = Some((stride as u32 + 1, levels[0]));
    unseen[stride + 1] = SEEN;
    while let Some((pixel, level)) = next {
        flood.reach(level);
        let i = pixel as usize;
        let mut higher = None;
        for side in [i - 1, i + 1, i - stride, i + stride] {
            let beside = unseen[side];
            if beside == SEEN {
                continue;
            }
            unseen[side] = SEEN;
            if beside > level {
                higher = Some((side as u32, beside));
                break;
            }
            border.push(side as u32, beside);
        }
        next = if higher.is_some() {
            // What is higher comes first; the pixel's other sides are looked at when it is back.
            border.push(pixel, level);
            higher
        } else {
            let (x, y) = (i % stride - 1, i / stride - 1);
            flood.add(&Shape::pixel(x as u32, y as u32), masses[y * width + x]);
            border.pop(level)
        };
    }
    flood.finish()
}

/// Level of what was seen or is no pixel of the picture.
const SEEN: u16 = u16::MAX;

/// The levels within a rim that counts as seen.
fn padded(levels: &[u16], width: usize) -> Vec<u16> {
    let rim = vec![SEEN; width + 2];
    let mut padded = Vec::with_capacity((width + 2) * (levels.len() / width + 2));
    padded.extend(&rim);
    for row in levels.chunks_exact(width) {
        padded.push(SEEN);
        padded.extend(row.iter().map(|level| (*level).min(SEEN - 1)));
        padded.push(SEEN);
    }
    padded.extend(rim);
    padded
}

/// The pixels at the border of what is flooded, by level.
struct Border {
    pixels: Vec<Vec<u32>>,
    /// One bit a level that has pixels.
    filled: Vec<u64>,
}

impl Border {
    fn new(most: u16) -> Self {
        let number = usize::from(most) + 1;
        Self { pixels: vec![Vec::new(); number], filled: vec![0; number.div_ceil(64)] }
    }

    fn push(&mut self, pixel: u32, level: u16) {
        let level = usize::from(level);
        self.pixels[level].push(pixel);
        self.filled[level / 64] |= 1 << (level % 64);
    }

    /// A pixel of the highest level up to `most`.
    fn pop(&mut self, most: u16) -> Option<(u32, u16)> {
        let most = usize::from(most);
        let mut word = most / 64;
        let mut bits = self.filled[word] & (u64::MAX >> (63 - most % 64));
        while bits == 0 {
            word = word.checked_sub(1)?;
            bits = self.filled[word];
        }
        let level = 64 * word + 63 - bits.leading_zeros() as usize;
        let pixel = self.pixels[level].pop()?;
        if self.pixels[level].is_empty() {
            self.filled[word] &= !(1 << (level % 64));
        }
        Some((pixel, level as u16))
    }
}

/// A part that is still growing.
struct Open {
    level: u16,
    shape: Shape,
    mass: f64,
    /// Where its nodes start among the orphans.
    first: usize,
}

/// The parts that are open, each within the one before it, and the nodes that are done.
#[derive(Default)]
struct Flood {
    least: f64,
    open: Vec<Open>,
    nodes: Vec<Node>,
    /// Nodes without a parent so far.
    orphans: Vec<usize>,
}

impl Flood {
    /// Makes a part of this level the innermost one.
    fn reach(&mut self, level: u16) {
        if self.open.last().is_none_or(|inner| inner.level < level) {
            let first = self.orphans.len();
            self.open.push(Open { level, shape: Shape::default(), mass: 0.0, first });
        }
        while self.open.last().is_some_and(|inner| inner.level > level) {
            self.close();
            match self.open.as_mut_slice() {
                [.., outer, inner] if outer.level >= level => {
                    outer.shape.add(&inner.shape);
                    outer.mass += inner.mass;
                    self.open.pop();
                }
                [.., inner] => inner.level = level,
                [] => {}
            }
        }
    }

    fn add(&mut self, pixel: &Shape, mass: u16) {
        if let Some(inner) = self.open.last_mut() {
            inner.shape.add(pixel);
            inner.mass += f64::from(mass);
        }
    }

    /// Makes a node of the innermost part if it is large enough.
    fn close(&mut self) {
        let Some(Open { level, shape, mass, first }) = self.open.last() else { return };
        if shape.area < self.least {
            return;
        }
        let parent = self.nodes.len();
        for child in self.orphans.drain(*first..) {
            self.nodes[child].parent = parent;
        }
        self.orphans.push(parent);
        self.nodes.push(Node { level: *level, shape: *shape, mass: *mass, parent });
    }

    /// All nodes, with the whole picture however small it is.
    fn finish(mut self) -> Vec<Node> {
        self.least = 0.0;
        self.close();
        self.nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_within_each_other() {
        // Two peaks of different height on a plateau, beside a third one alone.
        let levels = [
            0, 0, 0, 0, 0, 0, 0, 0, //
            0, 5, 5, 7, 0, 0, 4, 0, //
            0, 9, 5, 5, 0, 0, 4, 0, //
            0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let nodes = build(&levels, &levels, 8, 1);
        let area = |i: usize| nodes[i].shape.area;
        let areas: Vec<f64> = (0..nodes.len()).map(area).collect();
        assert_eq!(areas, [1.0, 1.0, 6.0, 2.0, 32.0]);
        let parents: Vec<usize> = nodes.iter().map(|node| node.parent).collect();
        assert_eq!(parents, [2, 2, 4, 4, 4]);
        assert_eq!(nodes[2].shape.bounds, [1, 1, 3, 2]);
        assert_eq!(nodes[2].mass, 36.0);
        assert_eq!(nodes[2].shape.center(), [2.5, 2.0]);

        let large = build(&levels, &levels, 8, 2);
        assert_eq!(large.iter().map(|n| n.shape.area).collect::<Vec<_>>(), [6.0, 2.0, 32.0]);
        assert_eq!(large[0].mass, 36.0);
    }

    #[test]
    fn flat_and_single_pixels_are_one_node() {
        assert_eq!(build(&[3; 12], &[3; 12], 4, 1).len(), 1);
        assert_eq!(build(&[3], &[3], 1, 5)[0].shape.area, 1.0);
    }

    #[test]
    fn an_upright_rectangle_has_the_axes_of_its_moments() {
        let levels: Vec<u16> = (0..20 * 20)
            .map(|i| u16::from((5..9).contains(&(i % 20)) && (2..18).contains(&(i / 20))))
            .collect();
        let shape = build(&levels, &levels, 20, 1)[0].shape;
        let [long, short] = shape.half_axes();
        // The variance of a uniform stretch is a twelfth of its square.
        assert!((long - 2.0 * 16.0 / 12f64.sqrt()).abs() < 1e-9, "{long}");
        assert!((short - 2.0 * 4.0 / 12f64.sqrt()).abs() < 1e-9, "{short}");
    }
}
