//! The names: what is stained, which phase a cell is in, and what a cell only looks like.
//!
//! Invariant: a phase belongs to a mitotic cell only, and a look-alike is never mitotic.

use std::f32::consts::TAU;

/// A staining pattern; the numbers are those of the International Consensus on ANA Patterns (ICAP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// AC-1: nucleus evenly stained, chromatin plate bright.
    Homogeneous,
    /// AC-2: nucleus mottled, chromatin plate bright.
    DenseFineSpeckled,
    /// AC-4: small speckles, nucleoli spared, plate dark.
    FineSpeckled,
    /// AC-5: large speckles, nucleoli spared, plate dark.
    CoarseSpeckled,
    /// AC-3: 40 to 80 dots a nucleus, aligned in the plate.
    Centromere,
    /// AC-8 to AC-10: nucleoli; plate dark, coated or with a few dots.
    Nucleolar,
    /// AC-11 and AC-12: rim of the nucleus, plate dark.
    NuclearMembrane,
    /// AC-6 and AC-7: 1 to 20 dots a nucleus, plate dark.
    NuclearDots,
    /// AC-15 to AC-21: fibres, grains or network outside the nucleus.
    Cytoplasmic,
    /// AC-22: a ribbon at one side of the nucleus, scattered in mitosis.
    Golgi,
    /// AC-0: autofluorescence and unspecific stain only.
    Negative,
}

impl Pattern {
    /// Every pattern.
    pub const ALL: [Self; 11] = [
        Self::Homogeneous,
        Self::DenseFineSpeckled,
        Self::FineSpeckled,
        Self::CoarseSpeckled,
        Self::Centromere,
        Self::Nucleolar,
        Self::NuclearMembrane,
        Self::NuclearDots,
        Self::Cytoplasmic,
        Self::Golgi,
        Self::Negative,
    ];

    /// Name in a cell table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Homogeneous => "homogeneous",
            Self::DenseFineSpeckled => "dense fine speckled",
            Self::FineSpeckled => "fine speckled",
            Self::CoarseSpeckled => "coarse speckled",
            Self::Centromere => "centromere",
            Self::Nucleolar => "nucleolar",
            Self::NuclearMembrane => "nuclear membrane",
            Self::NuclearDots => "nuclear dots",
            Self::Cytoplasmic => "cytoplasmic",
            Self::Golgi => "golgi",
            Self::Negative => "negative",
        }
    }
}

/// How a metaphase plate is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The spindle lies in the image plane: the plate is a bar.
    Side,
    /// The spindle stands on the image plane: the plate is a disc or ring.
    Polar,
}

/// A phase of mitosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Threads condense inside a whole nucleus.
    Prophase,
    /// No envelope, chromosomes on their way to the plate.
    Prometaphase,
    /// Chromosomes in one plate.
    Metaphase(View),
    /// Two plates move apart in one cell.
    Anaphase,
    /// Two compact plates in a cell that pinches off.
    Telophase,
}

impl Phase {
    /// Every phase, metaphase in both views.
    pub const ALL: [Self; 6] = [
        Self::Prophase,
        Self::Prometaphase,
        Self::Metaphase(View::Side),
        Self::Metaphase(View::Polar),
        Self::Anaphase,
        Self::Telophase,
    ];

    /// Name in a cell table; both views of metaphase share one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prophase => "prophase",
            Self::Prometaphase => "prometaphase",
            Self::Metaphase(_) => "metaphase",
            Self::Anaphase => "anaphase",
            Self::Telophase => "telophase",
        }
    }

    /// How often the phase is met among mitotic cells, roughly as long as it lasts.
    pub(super) fn weight(self) -> f32 {
        match self {
            Self::Prophase => 0.08,
            Self::Prometaphase => 0.2,
            Self::Metaphase(View::Side) => 0.34,
            Self::Metaphase(View::Polar) => 0.14,
            Self::Anaphase => 0.1,
            Self::Telophase => 0.14,
        }
    }
}

/// How the condensed chromatin of a mitotic cell stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chromatin {
    /// Brighter than the cell around it.
    Bright,
    /// Darker than the cell around it.
    Dark,
    /// Visible by dots on it.
    Dots,
}

impl Chromatin {
    /// Name in a cell table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bright => "bright",
            Self::Dark => "dark",
            Self::Dots => "dots",
        }
    }
}

/// Something that may be taken for a mitotic cell and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookAlike {
    /// A nucleus broken into smooth balls; of neither class.
    Apoptotic,
    /// A nucleus shrunken to one smooth ball; of neither class.
    Pyknotic,
    /// Dirt, precipitate or a fibre; of neither class.
    Debris,
    /// Two interphase nuclei over one another.
    Overlap,
    /// A small and bright interphase nucleus.
    SmallBright,
    /// One of two young daughter cells, nuclei whole again: interphase.
    EarlyG1,
    /// An interphase cell that has lost its hold and rounded up.
    Rounded,
}

impl LookAlike {
    /// Every look-alike.
    pub const ALL: [Self; 7] = [
        Self::Apoptotic,
        Self::Pyknotic,
        Self::Debris,
        Self::Overlap,
        Self::SmallBright,
        Self::EarlyG1,
        Self::Rounded,
    ];

    /// Name in a cell table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apoptotic => "apoptotic",
            Self::Pyknotic => "pyknotic",
            Self::Debris => "debris",
            Self::Overlap => "overlap",
            Self::SmallBright => "small bright",
            Self::EarlyG1 => "early G1",
            Self::Rounded => "rounded",
        }
    }

    /// Whether it is an interphase cell; the others are of neither class.
    pub fn is_interphase(self) -> bool {
        !matches!(self, Self::Apoptotic | Self::Pyknotic | Self::Debris)
    }
}

/// What stands at one place of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A cell between divisions, with what it may be taken for.
    Interphase(Option<LookAlike>),
    /// A cell in division.
    Mitotic(Phase),
    /// Remains of a cell, or dirt.
    Remains(LookAlike),
}

impl Kind {
    /// The class in a cell table, as the trainer spells it; empty for neither class.
    pub fn label(self) -> &'static str {
        match self {
            Self::Interphase(_) => "interphase",
            Self::Mitotic(_) => "mitotic",
            Self::Remains(_) => "",
        }
    }

    /// The phase of a mitotic cell.
    pub fn phase(self) -> Option<Phase> {
        match self {
            Self::Mitotic(phase) => Some(phase),
            _ => None,
        }
    }

    /// What it may be taken for a mitotic cell as.
    pub fn look_alike(self) -> Option<LookAlike> {
        match self {
            Self::Interphase(look_alike) => look_alike,
            Self::Remains(look_alike) => Some(look_alike),
            Self::Mitotic(_) => None,
        }
    }
}

/// Unit vector of an angle in radians.
pub(super) fn direction(angle: f32) -> (f32, f32) {
    let angle = angle.rem_euclid(TAU);
    (angle.cos(), angle.sin())
}
