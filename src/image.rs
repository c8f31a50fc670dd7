//! A grey fluorescence image as plain numbers.
//!
//! Invariant: `pixels.len() == width * height`, both sides at least 1, every value finite in `[0, 1]`.

use crate::Error;

/// One channel of grey values, row by row; 0 is black and 1 the largest value the file's bit depth can hold.
#[derive(Debug, Clone, PartialEq)]
pub struct GreyImage {
    width: usize,
    height: usize,
    pixels: Vec<f32>,
}

impl GreyImage {
    /// Wraps `width * height` grey values in `[0, 1]`.
    ///
    /// # Errors
    /// [`Error::Image`] when a side is zero, the lengths differ or a value is outside `[0, 1]`.
    pub fn new(width: usize, height: usize, pixels: Vec<f32>) -> Result<Self, Error> {
        if width == 0 || height == 0 || pixels.len() != width * height {
            return Err(Error::Image(format!(
                "an image of {width} x {height} pixels cannot hold {} values",
                pixels.len()
            )));
        }
        if let Some(bad) = pixels.iter().find(|v| !(0.0..=1.0).contains(*v)) {
            return Err(Error::Image(format!("grey value {bad} is outside 0 to 1")));
        }
        Ok(Self { width, height, pixels })
    }

    /// A part of the image, from its top left corner on.
    ///
    /// # Errors
    /// [`Error::Image`] when the part is empty or reaches beyond the border.
    pub fn part(&self, [x, y]: [usize; 2], [width, height]: [usize; 2]) -> Result<Self, Error> {
        if x + width > self.width || y + height > self.height {
            return Err(Error::Image(format!(
                "{width} x {height} pixels at ({x}, {y}) are not inside an image of {} x {} pixels",
                self.width, self.height
            )));
        }
        let row = |row: usize| &self.pixels[row * self.width + x..][..width];
        Self::new(width, height, (y..y + height).flat_map(row).copied().collect())
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Grey values, row by row.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }
}
