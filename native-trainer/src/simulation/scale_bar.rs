//! A scale bar burnt into a field: line, caption, at times a box behind them.
//!
//! Invariant: every changed pixel lies in the returned rectangle.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::PixelBox;
use super::optics::Plane;

/// Glyphs five rows high and up to five columns wide, one row a number, highest bit first.
const GLYPHS: [(char, u32, [u8; 5]); 6] = [
    ('0', 3, [0b111, 0b101, 0b101, 0b101, 0b111]),
    ('1', 3, [0b010, 0b110, 0b010, 0b010, 0b111]),
    ('2', 3, [0b111, 0b001, 0b111, 0b100, 0b111]),
    ('5', 3, [0b111, 0b100, 0b111, 0b001, 0b111]),
    ('µ', 3, [0b101, 0b101, 0b101, 0b111, 0b100]),
    ('m', 5, [0b00000, 0b11110, 0b10101, 0b10101, 0b10101]),
];
const CAPTIONS: [&str; 5] = ["10 µm", "20 µm", "50 µm", "100 µm", ""];

/// Burns a bar into one corner of shares of white; `None` where the field is too small for one.
pub fn burn(plane: &mut Plane, rng: &mut ChaCha8Rng) -> Option<PixelBox> {
    let caption = CAPTIONS[rng.random_range(0..CAPTIONS.len())];
    let dot = (plane.height / rng.random_range(250..500)).max(1);
    let length = (plane.width as f32 * rng.random_range(0.08..0.25)) as usize;
    let letters: usize = caption.chars().map(|c| columns(c) + 1).sum();
    let (width, height) = (length.max(letters * dot) + 4 * dot, 11 * dot);
    let margin = plane.height / 40;
    if width + 2 * margin > plane.width || height + 2 * margin > plane.height {
        return None;
    }
    let corner =
        |far: bool, size: usize, own: usize| if far { size - own - margin } else { margin };
    let left = corner(rng.random_bool(0.5), plane.width, width);
    let top = corner(rng.random_bool(0.5), plane.height, height);
    let mut fill = |x: usize, y: usize, w: usize, h: usize, light: f32| {
        for row in plane.light.chunks_exact_mut(plane.width).skip(top + y).take(h) {
            row[left + x..left + x + w].fill(light);
        }
    };
    if rng.random_bool(0.5) {
        fill(0, 0, width, height, rng.random_range(0.0..0.4));
    }
    let white = rng.random_range(0.8..1.0);
    fill((width - length) / 2, 8 * dot, length, dot * rng.random_range(1..=2), white);
    let mut x = (width - letters * dot) / 2;
    for letter in caption.chars() {
        for (_, wide, rows) in GLYPHS.iter().filter(|(glyph, ..)| *glyph == letter) {
            for (y, row) in rows.iter().enumerate() {
                for column in (0..*wide).filter(|column| row >> (wide - 1 - column) & 1 == 1) {
                    fill(x + column as usize * dot, (1 + y) * dot, dot, dot, white);
                }
            }
        }
        x += (columns(letter) + 1) * dot;
    }
    Some(PixelBox { x: left, y: top, width, height })
}

fn columns(letter: char) -> usize {
    GLYPHS.iter().find(|(glyph, ..)| *glyph == letter).map_or(2, |(_, wide, _)| *wide as usize)
}
