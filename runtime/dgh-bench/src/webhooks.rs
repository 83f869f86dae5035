//! Webhooks by the thousand: calls that end, a worker that delivers, a receiver on this machine that
//! says yes. What is measured is the whole way: kept in the database, claimed, opened, signed, sent,
//! answered, written down.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use clap::Args;
use dgh_ir::{Envelope, Method};
use dgh_platform::vault::Vault;
use dgh_platform::webhooks::{
    self, About, Due, EndedCall, Frozen, Owner, PREFIX, Parts, Secrets, Settings, Surroundings, jitter,
};
use dgh_store::{Db, OrgId, StoreError, deliveries};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How much is delivered, and where it is kept.
#[derive(Args)]
pub(crate) struct Webhooks {
    /// Deliveries in all.
    #[arg(long, default_value_t = 20_000)]
    deliveries: usize,
    /// postgres://… or sqlite:FILE; a fresh file of SQLite when not given. Use an empty database.
    #[arg(long)]
    database: Option<String>,
    /// Calls that end in one transaction, as they do when a server is busy.
    #[arg(long, default_value_t = 32)]
    together: usize,
    /// Who ends calls at the same time: nodes of a cluster.
    #[arg(long, default_value_t = 4)]
    writers: usize,
    /// Deliveries on their way at once.
    #[arg(long, default_value_t = 128)]
    in_flight: usize,
}

struct Near(HashMap<String, secrecy::SecretString>);

#[async_trait]
impl Secrets for Near {
    async fn surroundings(&self, _: &Owner, names: &[String]) -> Result<Surroundings, StoreError> {
        let secrets =
            names.iter().filter_map(|name| Some((name.clone(), self.0.get(name)?.clone()))).collect();
        Ok(Surroundings { secrets, allow_private: vec!["127.0.0.1".to_owned()] })
    }
}

/// Runs it, and prints what came out.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
#[expect(clippy::cast_precision_loss, reason = "figures for people have three digits")]
pub(crate) async fn run(args: Webhooks) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = args.database.unwrap_or_else(|| format!("sqlite:{}", folder.path().join("dgh.db").display()));
    let db = Db::open(&url).await?;
    db.migrate().await?;
    let (vault, _) = Vault::in_folder(folder.path())?;
    let arrived = Arc::new(AtomicUsize::new(0));
    let address = receiver(Arc::clone(&arrived)).await?;
    let key = format!("{PREFIX}MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let worker = webhooks::start(Parts {
        db: db.clone(),
        vault: vault.clone(),
        secrets: Arc::new(Near(HashMap::from([("SIGN".to_owned(), key.into())]))),
        clock: Arc::new(now),
        node: "bench".to_owned(),
        jitter: jitter(),
        settings: Settings { in_flight: args.in_flight, per_host: args.in_flight, ..Settings::default() },
    });
    let org = OrgId::fresh();
    let began = Instant::now();
    let share = args.deliveries.div_ceil(args.writers.max(1));
    let writers = (0..args.deliveries).step_by(share.max(1)).map(|first| {
        let calls = first..(first + share).min(args.deliveries);
        let (db, vault, org, address) = (db.clone(), vault.clone(), org.clone(), address.clone());
        tokio::spawn(async move { end(&db, &vault, &org, &address, calls, args.together).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await??;
    }
    let kept = began.elapsed();
    while waiting(&db).await? > 0 {
        anyhow::ensure!(began.elapsed() < Duration::from_mins(10), "they do not all arrive");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    worker.drain().await;
    let count = args.deliveries as f64;
    println!("{} deliveries on {}", args.deliveries, db.dialect().name());
    println!("kept, a second                    {:.0}", count / kept.as_secs_f64());
    println!("kept, sent and written, a second  {:.0}", count / took.as_secs_f64());
    println!("arrived                           {}", arrived.load(Ordering::Relaxed));
    db.close().await;
    Ok(())
}

/// Ends these calls, so many in one transaction.
async fn end(
    db: &Db,
    vault: &Vault,
    org: &OrgId,
    address: &str,
    calls: Range<usize>,
    together: usize,
) -> anyhow::Result<()> {
    for first in calls.clone().step_by(together.max(1)) {
        let mut tx = db.begin().await?;
        for number in first..(first + together).min(calls.end) {
            let call = format!("call-{number}");
            let about = About { call: &call, agent: "desk", profile: Some("production"), test: false };
            let due = [due(address, &call)];
            webhooks::at_end(&mut tx, vault, org, &EndedCall { about, due: &due }, now()).await?;
        }
        tx.commit().await?;
        webhooks::wake(db).await;
    }
    Ok(())
}

fn due(address: &str, call: &str) -> Due {
    let body = json!({
        "call": call, "caller": "+14155550100", "outcome": "message_taken", "topic": "sales",
        "message": "Please call back about the saws that were ordered last week, before noon if you can.",
    });
    Due {
        webhook: "crm".to_owned(),
        event: "call.ended".to_owned(),
        number: 0,
        request: Frozen {
            envelope: Envelope {
                method: Method::Post,
                url: address.to_owned(),
                masked_url: address.to_owned(),
                headers: Vec::new(),
                auth: None,
            },
            sign: Some("SIGN".to_owned()),
            body: Some(body.to_string()),
        },
        shown: Some(body),
    }
}

async fn waiting(db: &Db) -> anyhow::Result<i64> {
    let mut conn = db.read().acquire().await?;
    Ok(deliveries::backlog_unscoped(&mut conn).await?.pending)
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A receiver that answers 204, over connections that stay open.
async fn receiver(arrived: Arc<AtomicUsize>) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/hook", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let arrived = Arc::clone(&arrived);
            // A connection that breaks is the sender's to notice.
            tokio::spawn(async move { answer(stream, &arrived).await });
        }
    });
    Ok(address)
}

async fn answer(stream: TcpStream, arrived: &AtomicUsize) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().context("a length")?;
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
        arrived.fetch_add(1, Ordering::Relaxed);
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
        stream.flush().await?;
    }
}
