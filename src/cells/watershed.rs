//! Splits touching cells along the necks between them: a watershed of the inner distance.
//!
//! Invariant: every pixel inside belongs to exactly one region; two neighbouring regions stay apart only
//! when the neck between them is clearly narrower than the smaller one.

/// Two basins are one cell unless the neck is narrower than this part of the smaller half-width.
const NECK: f32 = 0.82;

/// One cell's pixels: area and the outermost columns and rows, all inclusive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub area: usize,
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

/// A growing region with the height of its highest pixel.
struct Basin {
    parent: usize,
    peak: f32,
    region: Region,
}

/// Regions of the pixels `inside`, grown from the peaks of `distance` downwards.
///
/// Pixels are visited from the highest on; each joins its highest visited neighbour or starts a basin.
/// Where two basins first meet, the height is that of the neck between them.
pub(super) fn split(distance: &[f32], inside: &[bool], width: usize) -> Vec<Region> {
    let mut order: Vec<usize> = (0..distance.len()).filter(|i| inside[*i]).collect();
    order.sort_unstable_by(|a, b| distance[*b].total_cmp(&distance[*a]).then(a.cmp(b)));
    let mut basin_of: Vec<Option<usize>> = vec![None; distance.len()];
    let mut basins: Vec<Basin> = Vec::new();

    for pixel in order {
        let height = distance[pixel];
        let (x, y) = (pixel % width, pixel / width);
        let mut own: Option<(usize, f32)> = None;
        let visited = || neighbours(pixel, width, distance.len());
        for neighbour in visited() {
            if let Some(basin) = basin_of[neighbour]
                && own.is_none_or(|(_, highest)| distance[neighbour] > highest)
            {
                own = Some((basin, distance[neighbour]));
            }
        }
        let Some((basin, _)) = own else {
            basin_of[pixel] = Some(basins.len());
            let region = Region { area: 1, left: x, top: y, right: x, bottom: y };
            basins.push(Basin { parent: basins.len(), peak: height, region });
            continue;
        };
        let mut root = find(&mut basins, basin);
        for neighbour in visited() {
            let Some(other) = basin_of[neighbour] else {
                continue;
            };
            let other = find(&mut basins, other);
            if other != root && height >= NECK * basins[root].peak.min(basins[other].peak) {
                root = merge(&mut basins, root, other);
            }
        }
        basin_of[pixel] = Some(root);
        let region = &mut basins[root].region;
        *region = region.with(Region { area: 1, left: x, top: y, right: x, bottom: y });
    }
    let roots = basins.iter().enumerate().filter(|(i, b)| b.parent == *i);
    roots.map(|(_, b)| b.region).collect()
}

impl Region {
    fn with(self, other: Region) -> Region {
        Region {
            area: self.area + other.area,
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// The up to eight neighbours of a pixel.
fn neighbours(pixel: usize, width: usize, len: usize) -> impl Iterator<Item = usize> {
    let (x, y, height) = (pixel % width, pixel / width, len / width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    let around = move |row: usize| {
        (x.saturating_sub(1)..(x + 2).min(width)).map(move |column| row * width + column)
    };
    rows.flat_map(around).filter(move |i| *i != pixel)
}

/// Root of a basin in the forest of merged basins.
fn find(basins: &mut [Basin], mut basin: usize) -> usize {
    while basins[basin].parent != basin {
        let parent = basins[basin].parent;
        basins[basin].parent = basins[parent].parent;
        basin = parent;
    }
    basin
}

/// Joins two roots under the one with the higher peak and returns it.
fn merge(basins: &mut [Basin], a: usize, b: usize) -> usize {
    let (root, child) = if basins[a].peak >= basins[b].peak { (a, b) } else { (b, a) };
    basins[root].region = basins[root].region.with(basins[child].region);
    basins[child].parent = root;
    root
}
