//! The HTTP server: the call page, signalling, carrier sockets, health, metrics. Routes only: what
//! they do is in `dgh-platform`, how sound gets in and out is in `dgh-transport`.

mod api;
mod app;
mod assets;
mod carriers;
mod error;
mod figures;
mod guard;
mod run;
mod settings;

pub use app::App;
pub use run::{Running, start};
pub use settings::{IceSettings, Settings};
