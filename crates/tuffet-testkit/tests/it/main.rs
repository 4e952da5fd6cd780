//! Tests of the simulation itself, and samples of its traces with the real client and real keys.

mod real;
mod simulation;
mod updater;
