//! The HTTP server: the call page, signalling, carrier sockets, health, metrics. Routes only: what
//! they do is in `dgh-platform`, how sound gets in and out is in `dgh-transport`.

mod api;
mod app;
mod assets;
mod carriers;
pub mod doctor;
mod error;
mod figures;
mod guard;
mod health;
mod run;
mod settings;
mod v1;

pub use app::App;
pub use run::{Running, bind, start, start_on};
pub use settings::{ApiSettings, IceSettings, Settings};
