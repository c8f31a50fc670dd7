//! The tree of all bright parts of a picture: what is connected at one level lies within what is
//! connected at the next lower one.
//!
//! Invariant: nodes are in order of falling level, every node before its parent, the whole picture
//! last; a node's shape counts each of its pixels once.

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

    /// Radius of the disc of the same area.
    pub fn radius(&self) -> f64 {
        (self.area / std::f64::consts::PI).sqrt()
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
        let [xx, xy, yy] = self.covariance();
        let (mean, spread) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
        [mean + spread, mean - spread].map(|variance| 2.0 * variance.max(1.0 / 12.0).sqrt())
    }
}

/// What is connected at one level.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The lowest level of its pixels.
    pub level: u16,
    /// Its pixels, those of all its children included.
    pub shape: Shape,
    /// Sum of the levels of its pixels.
    pub mass: f64,
    /// The node it lies in; itself for the whole picture.
    pub parent: usize,
}

/// Builds the tree over pixels that touch by a side, without the nodes below `least` pixels.
pub(super) fn build(levels: &[u16], width: usize, least: u32) -> Vec<Node> {
    let order = falling(levels);
    let parent = parents(levels, width, &order);
    let mut area = vec![1u32; levels.len()];
    for &pixel in &order {
        let up = parent[pixel as usize];
        if up != pixel {
            area[up as usize] += area[pixel as usize];
        }
    }

    // From the whole picture inwards: the node that each pixel belongs to, counted from the end.
    let mut home = vec![0u32; levels.len()];
    let mut ups = Vec::new();
    for &pixel in order.iter().rev() {
        let (i, up) = (pixel as usize, parent[pixel as usize] as usize);
        let stands = up == i || (levels[up] != levels[i] && area[i] >= least);
        home[i] = if stands {
            ups.push((if up == i { 0 } else { home[up] }, levels[i]));
            ups.len() as u32 - 1
        } else {
            home[up]
        };
    }
    let last = ups.len() - 1;
    let node = |&(up, level): &(u32, u16)| {
        let parent = last - up as usize;
        Node { level, shape: Shape::default(), mass: 0.0, parent }
    };
    let mut nodes: Vec<Node> = ups.iter().rev().map(node).collect();
    for (i, level) in levels.iter().enumerate() {
        let node = &mut nodes[last - home[i] as usize];
        node.shape.add(&Shape::pixel((i % width) as u32, (i / width) as u32));
        node.mass += f64::from(*level);
    }
    for i in 0..last {
        let Node { shape, mass, parent, .. } = nodes[i];
        nodes[parent].shape.add(&shape);
        nodes[parent].mass += mass;
    }
    nodes
}

/// For every pixel the one that stands for its part at its level, or for the next lower level's part
/// when it stands for its own; itself for the whole picture.
fn parents(levels: &[u16], width: usize, order: &[u32]) -> Vec<u32> {
    let unseen = Link { root: UNSEEN, size: 1, stand: UNSEEN, parent: UNSEEN };
    let mut links = vec![unseen; levels.len()];
    for &pixel in order {
        let i = pixel as usize;
        links[i] = Link { root: pixel, size: 1, stand: pixel, parent: pixel };
        let mut own = pixel;
        let x = i % width;
        let sides = [
            (x > 0).then(|| i - 1),
            (x + 1 < width).then(|| i + 1),
            i.checked_sub(width),
            Some(i + width).filter(|side| *side < levels.len()),
        ];
        for side in sides.into_iter().flatten() {
            if links[side].root == UNSEEN {
                continue;
            }
            let other = find(&mut links, side as u32);
            if other == own {
                continue;
            }
            let Link { size, stand, .. } = links[other as usize];
            links[stand as usize].parent = pixel;
            let own_size = links[own as usize].size;
            let (large, small) = if size > own_size { (other, own) } else { (own, other) };
            links[small as usize].root = large;
            let join = &mut links[large as usize];
            (join.size, join.stand) = (size + own_size, pixel);
            own = large;
        }
    }
    let mut parent: Vec<u32> = links.iter().map(|link| link.parent).collect();
    for &pixel in order.iter().rev() {
        let up = parent[pixel as usize] as usize;
        if levels[parent[up] as usize] == levels[up] {
            parent[pixel as usize] = parent[up];
        }
    }
    parent
}

const UNSEEN: u32 = u32::MAX;

/// A pixel in the forest of what is connected so far; kept in one place, because pixels are visited in no
/// order that memory likes.
#[derive(Clone, Copy)]
struct Link {
    /// The next pixel towards the root of its tree; itself at the root.
    root: u32,
    /// At the root: number of pixels of the tree, and the last one, which stands for it.
    size: u32,
    stand: u32,
    /// What the last of its own level's part was joined to.
    parent: u32,
}

/// Pixels from the highest level to the lowest.
fn falling(levels: &[u16]) -> Vec<u32> {
    let most = levels.iter().copied().max().map_or(0, usize::from);
    let mut starts = vec![0u32; most + 2];
    levels.iter().for_each(|level| starts[most + 1 - usize::from(*level)] += 1);
    (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
    let mut order = vec![0; levels.len()];
    for (pixel, level) in levels.iter().enumerate() {
        let place = &mut starts[most - usize::from(*level)];
        order[*place as usize] = pixel as u32;
        *place += 1;
    }
    order
}

fn find(links: &mut [Link], mut pixel: u32) -> u32 {
    loop {
        let up = links[pixel as usize].root;
        if up == pixel {
            return pixel;
        }
        let next = links[up as usize].root;
        links[pixel as usize].root = next;
        pixel = next;
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
        let nodes = build(&levels, 8, 1);
        let area = |i: usize| nodes[i].shape.area;
        let areas: Vec<f64> = (0..nodes.len()).map(area).collect();
        assert_eq!(areas, [1.0, 1.0, 6.0, 2.0, 32.0]);
        let parents: Vec<usize> = nodes.iter().map(|node| node.parent).collect();
        assert_eq!(parents, [2, 2, 4, 4, 4]);
        assert_eq!(nodes[2].shape.bounds, [1, 1, 3, 2]);
        assert_eq!(nodes[2].mass, 36.0);
        assert_eq!(nodes[2].shape.center(), [2.5, 2.0]);

        let large = build(&levels, 8, 2);
        assert_eq!(large.iter().map(|n| n.shape.area).collect::<Vec<_>>(), [6.0, 2.0, 32.0]);
        assert_eq!(large[0].mass, 36.0);
    }

    #[test]
    fn flat_and_single_pixels_are_one_node() {
        assert_eq!(build(&[3; 12], 4, 1).len(), 1);
        assert_eq!(build(&[3], 1, 5)[0].shape.area, 1.0);
    }

    #[test]
    fn an_upright_rectangle_has_the_axes_of_its_moments() {
        let levels: Vec<u16> = (0..20 * 20)
            .map(|i| u16::from((5..9).contains(&(i % 20)) && (2..18).contains(&(i / 20))))
            .collect();
        let shape = build(&levels, 20, 1)[0].shape;
        let [long, short] = shape.half_axes();
        // The variance of a uniform stretch is a twelfth of its square.
        assert!((long - 2.0 * 16.0 / 12f64.sqrt()).abs() < 1e-9, "{long}");
        assert!((short - 2.0 * 4.0 / 12f64.sqrt()).abs() < 1e-9, "{short}");
    }
}
