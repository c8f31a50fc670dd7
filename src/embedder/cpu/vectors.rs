//! The vector instructions to compute with.
//!
//! Natively the best that the processor has, found at run time. A browser refuses a module for one
//! unknown instruction, so on wasm32 the build decides: relaxed SIMD, whose multiply-add is fused,
//! with the feature `relaxed-simd`, else simd128. One that is not chosen is not in the module.

#[cfg(not(target_arch = "wasm32"))]
pub use pulp::Arch as Vectors;

#[cfg(target_arch = "wasm32")]
pub use self::wasm::Vectors;

#[cfg(target_arch = "wasm32")]
mod wasm {
    #[cfg(feature = "relaxed-simd")]
    use pulp::wasm::RelaxedSimd as Chosen;
    #[cfg(not(feature = "relaxed-simd"))]
    use pulp::wasm::Simd128 as Chosen;
    use pulp::{Simd, WithSimd};

    /// Stands in for `pulp::Arch`, whose code for relaxed SIMD is in every module.
    #[derive(Debug, Clone, Copy)]
    pub struct Vectors(Chosen);

    impl Vectors {
        pub fn new() -> Self {
            // SAFETY: a browser runs this only after it has accepted every instruction of the module.
            Self(unsafe { Chosen::new_unchecked() })
        }

        #[inline(always)]
        pub fn dispatch<Op: WithSimd>(self, op: Op) -> Op::Output {
            Simd::vectorize(self.0, op)
        }
    }
}

/// Repeats a block with i = 0, 1, ... below a constant of at most 12, so that arrays indexed by i are
/// registers: the compiler unrolls such loops too late for that.
macro_rules! unrolled {
    ($i:ident < $count:expr => $block:block) => {
        unrolled!($i $count, $block, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    ($i:ident $count:expr, $block:block, $($n:literal)*) => {
        $({ let $i: usize = $n; if $i < $count $block })*
    };
}
pub(super) use unrolled;
