//! Which samples of a picture become its grey values.
//!
//! Invariant: every grey value is one of the pixel's own samples over full scale; nothing is mixed.

use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The channel of a coloured picture that is read; a grey picture has one, which each choice gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// The largest of red, green and blue, pixel by pixel: right for a picture of one dye.
    #[default]
    Brightest,
    /// Red alone.
    Red,
    /// Green alone: the usual dye, fluorescein.
    Green,
    /// Blue alone.
    Blue,
}

impl Channel {
    /// Place among red, green and blue; `None` for the largest.
    fn index(self) -> Option<usize> {
        match self {
            Channel::Brightest => None,
            Channel::Red => Some(0),
            Channel::Green => Some(1),
            Channel::Blue => Some(2),
        }
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Channel::Brightest => "brightest",
            Channel::Red => "red",
            Channel::Green => "green",
            Channel::Blue => "blue",
        })
    }
}

impl FromStr for Channel {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "brightest" => Ok(Channel::Brightest),
            "red" => Ok(Channel::Red),
            "green" => Ok(Channel::Green),
            "blue" => Ok(Channel::Blue),
            other => Err(Error::Image(format!(
                "the channel '{other}' is none of brightest, red, green and blue"
            ))),
        }
    }
}

/// The samples of one pixel, side by side: the colours first, then what is ignored (alpha).
#[derive(Debug, Clone, Copy)]
pub(super) struct Pixel {
    /// How many samples there are.
    pub samples: usize,
    /// How many of them are colours: 1 or 3.
    pub colours: usize,
}

impl Pixel {
    /// Which samples the channel asks for; grey is the largest of them.
    pub fn wanted(self, channel: Channel) -> Range<usize> {
        match channel.index() {
            Some(colour) if self.colours > 1 => colour..colour + 1,
            _ => 0..self.colours,
        }
    }
}

/// A rectangle of an image that is read at once, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub left: usize,
    pub top: usize,
    pub width: usize,
}

/// Raises the grey values of an area to the largest of the wanted samples of each pixel, over `full`.
///
/// `values` holds the area's pixels, row by row, `samples` each; what lies beyond the image is left out.
pub(super) fn raise<S: Copy + Into<u16>>(
    grey: &mut [f32],
    width: usize,
    area: Area,
    values: &[S],
    samples: usize,
    wanted: Range<usize>,
    full: u16,
) {
    let full = f32::from(full);
    let rows = grey.chunks_exact_mut(width).skip(area.top);
    for (row, values) in rows.zip(values.chunks_exact(area.width * samples)) {
        for (grey, pixel) in row[area.left..].iter_mut().zip(values.chunks_exact(samples)) {
            let largest = pixel[wanted.clone()].iter().map(|v| (*v).into()).max();
            *grey = grey.max(f32::from(largest.unwrap_or(0)) / full);
        }
    }
}
