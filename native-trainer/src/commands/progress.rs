//! How far a training is.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use native_trainer::training::StepReport;

/// A bar on a terminal, a line every ten steps elsewhere.
pub struct Progress {
    bar: Option<ProgressBar>,
    start: std::time::Instant,
    first: std::cell::Cell<Option<usize>>,
    steps: usize,
}

impl Progress {
    /// For a training of so many steps.
    pub fn new(steps: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = "{bar:30} {pos}/{len} {eta} left  {msg}";
            let bar = ProgressBar::new(steps as u64);
            bar.with_style(
                ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()),
            )
        });
        let start = std::time::Instant::now();
        Self { bar, start, first: std::cell::Cell::new(None), steps }
    }

    /// Tells of a step, counted from 0.
    pub fn tell(&self, step: usize, report: &StepReport) {
        let first = self.first.get().unwrap_or(step);
        self.first.set(Some(first));
        let active = report.mined.map(|mined| format!("active {:.2}  ", mined.active));
        let line = format!(
            "loss {:.3}  {}spread {:.2}  {:.1} images/s",
            report.loss,
            active.unwrap_or_default(),
            report.spread,
            report.images_per_second
        );
        if let Some(bar) = &self.bar {
            bar.set_position(step as u64 + 1);
            bar.set_message(line);
        } else if (step + 1).is_multiple_of(10) || step + 1 == self.steps {
            let each = self.start.elapsed().as_secs_f64() / (step + 1 - first) as f64;
            let left = each * (self.steps - step - 1) as f64;
            eprintln!("step {}/{}  {line}  {left:.0} s left", step + 1, self.steps);
        }
    }
}
