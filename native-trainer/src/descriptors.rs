//! stub
pub mod miros { use crate::samples::Sample; pub fn all(s:&[Sample])->Vec<Vec<f32>> { crate::fitting::all_brightness(s) } }
pub mod tonti { use crate::samples::Sample; use crate::table::Table; pub fn all(_t:&Table,s:&[Sample])->Vec<f64> { vec![0.0;s.len()] } }
