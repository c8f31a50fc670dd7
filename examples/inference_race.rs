//! Our side of `cargo xtask bench native`: `inference_race MODEL FOLDER THREADS`.
//!
//! Embeds the images of FOLDER's `inputs.bin`. Tells the time to the first embedding, model file
//! included, and the first two embeddings; then answers a batch size on each line of standard input
//! with its milliseconds an image. Answers are lines of JSON.

use std::error::Error;
use std::fs;
use std::io::{BufRead, stdin};
use std::thread;
use std::time::Instant;

use mitoscope::embedder::EMBEDDING;
use mitoscope::embedder::cpu::CpuEmbedder;
use mitoscope::model::Model;
use mitoscope::preprocess::{CHANNELS, Channels, SIDE};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: inference_race MODEL FOLDER THREADS");
    let (model, folder, threads) = (next()?, next()?, next()?.parse::<usize>()?);
    let bytes = fs::read(format!("{folder}/inputs.bin"))?;
    let (numbers, _) = bytes.as_chunks::<4>();
    let numbers: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
    let images: Vec<&[f32]> = numbers.chunks_exact(CHANNELS * SIDE * SIDE).collect();

    let started = Instant::now();
    let model = Model::from_bytes(&fs::read(model)?)?;
    let equal_channels = model.manifest.preprocess.channels == Channels::CellScaled;
    let embedder = CpuEmbedder::new(&model.weights, equal_channels);
    let mut arenas: Vec<_> = (0..threads).map(|_| embedder.arena()).collect();
    let mut embed = |images: &[&[f32]]| -> Vec<[f32; EMBEDDING]> {
        let mut embeddings = vec![[0.0; EMBEDDING]; images.len()];
        let share = images.len().div_ceil(threads);
        // One image is no work for two threads.
        let alone = share == images.len();
        let shares = images.chunks(share).zip(embeddings.chunks_mut(share));
        thread::scope(|scope| {
            for ((images, results), arena) in shares.zip(&mut arenas) {
                let embedder = &embedder;
                let work = move || {
                    for (image, result) in images.iter().zip(results) {
                        *result = embedder.embed(image, arena);
                    }
                };
                if alone { work() } else { drop(scope.spawn(work)) }
            }
        });
        embeddings
    };
    let mut embeddings = embed(&images[..1]);
    let first = 1e3 * started.elapsed().as_secs_f64();
    embeddings.extend(embed(&images[1..2]));
    let embeddings: Vec<&[f32]> = embeddings.iter().map(<[f32; EMBEDDING]>::as_slice).collect();
    println!("{}", serde_json::json!({ "first_ms": first, "embeddings": embeddings }));
    for line in stdin().lock().lines() {
        let batch: usize = line?.trim().parse()?;
        let started = Instant::now();
        embed(&images[..batch]);
        let time = 1e3 * started.elapsed().as_secs_f64() / batch as f64;
        println!("{}", serde_json::json!({ "ms": time }));
    }
    Ok(())
}
