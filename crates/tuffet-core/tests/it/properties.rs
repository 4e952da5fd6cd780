//! What holds for every repository, every history and every interference, tried at random.

mod bytes;
mod graphs;
mod histories;
