//! One binary for all integration tests: it links once.

mod cases;
mod samples;
mod vectors;
