//! The worker of a node: claims what is due, sends it, writes down how it went. Any number of nodes
//! may run one over the same database.
//!
//! One task claims, one task per delivery sends, one task writes results, many at a time. A result
//! that cannot be written is tried again until the lease is over; then the delivery is sent once
//! more, by whoever claims it, with the same id. It is never given up for that.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dgh_net::{Client, Courier, Policy};
use dgh_store::deliveries::{self, Attempt, Breaker, Claimed, Endpoint, Ticket};
use dgh_store::{Db, Dialect, Listener, OrgId, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::due::Frozen;
use super::schedule::{Jitter, Schedule, jitter};
use super::secrets::{Owner, Secrets, Surroundings};
use super::send::{self, Letter, Next, Outcome};
use super::signature::SigningKey;
use super::{CHANNEL, context, metrics, sweep};
use crate::bundles::Agents;
use crate::vault::Vault;

/// How deliveries are sent.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For one attempt.
    pub timeout: Duration,
    /// Deliveries on their way at once.
    pub in_flight: usize,
    /// Of them, to one host.
    pub per_host: usize,
    /// When it is tried again.
    pub schedule: Schedule,
    /// When an endpoint is left alone.
    pub breaker: Breaker,
    /// Private addresses that every profile may ask.
    pub allow_private: Vec<String>,
    /// How often it is looked whether something is due that nobody was told of.
    pub poll: Duration,
    /// How often parked deliveries and old ones are looked at.
    pub sweep: Duration,
    /// How long what was delivered or given up is kept.
    pub keep: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            in_flight: 128,
            per_host: 32,
            schedule: Schedule::default(),
            breaker: Breaker { threshold: 5, first_pause: 30_000, longest_pause: 600_000 },
            allow_private: Vec::new(),
            poll: Duration::from_secs(1),
            sweep: Duration::from_secs(30),
            keep: Duration::from_hours(24 * 30),
        }
    }
}

/// What a worker works with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// What opens deliveries.
    pub vault: Vault,
    /// What they are sent with.
    pub secrets: Arc<dyn Secrets>,
    /// The time, in milliseconds since 1970.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// The node's id.
    pub node: String,
    /// Where jitter comes from.
    pub jitter: Jitter,
    /// How deliveries are sent.
    pub settings: Settings,
}

/// A worker that runs.
pub struct Worker {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    patience: Duration,
}

/// Deliveries that are claimed at a time.
const BATCH: usize = 64;
/// Results that are written at a time.
const RESULTS: usize = 128;
/// Beyond the timeout of an attempt: for what lies before and after it.
const LEASE_MORE: Duration = Duration::from_secs(5);
/// What is due within so short a time is claimed together.
const GATHER: Duration = Duration::from_millis(4);
/// Pauses while the database is away.
const AWAY: Duration = Duration::from_millis(250);
/// An endpoint that works is told so no more often than this.
const HEALTHY_EVERY_MS: i64 = 60_000;
/// Couriers that are kept; more have their connections closed.
const COURIERS: usize = 64;

/// Starts the worker of a server.
pub async fn serve(agents: &Arc<Agents>, settings: Settings) -> Result<Worker, StoreError> {
    let platform = agents.platform();
    if platform.db.dialect() == Dialect::Sqlite {
        // The lock of the data folder says that this process is alone: what another one had claimed
        // is nobody's any more.
        let mut tx = platform.db.begin().await?;
        deliveries::clear_leases_unscoped(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(start(Parts {
        db: platform.db.clone(),
        vault: platform.vault.clone(),
        secrets: Arc::clone(agents) as Arc<dyn Secrets>,
        clock: Arc::clone(&platform.clock),
        node: platform.node.to_string(),
        jitter: jitter(),
        settings,
    }))
}

/// Starts a worker.
pub fn start(parts: Parts) -> Worker {
    let (stop, stopped) = watch::channel(false);
    let (results, finished) = mpsc::channel(RESULTS * 8);
    let patience = parts.settings.timeout + LEASE_MORE;
    let claimer = Claimer {
        listener: parts.db.listen(CHANNEL),
        parts: parts.clone(),
        results,
        on_the_way: Arc::default(),
        origins: HashMap::new(),
        couriers: HashMap::new(),
    };
    let tasks = vec![
        tokio::spawn(write_results(parts.clone(), finished)),
        tokio::spawn(sweep::run(parts, stopped.clone())),
        tokio::spawn(claimer.run(stopped)),
    ];
    Worker { stop, tasks, patience }
}

impl Worker {
    /// Claims nothing more, waits for what is on its way, and writes down how it went.
    pub async fn drain(self) {
        let _ = self.stop.send(true);
        let end = Instant::now() + self.patience;
        for task in self.tasks {
            if timeout(end.saturating_duration_since(Instant::now()), task).await.is_err() {
                tracing::warn!("webhooks were still on their way; they are sent again later");
            }
        }
    }
}

/// How an attempt went.
struct Done {
    claimed: Claimed,
    endpoint: Endpoint,
    outcome: Outcome,
    probe: bool,
    began: i64,
    took: Duration,
}

struct Claimer {
    parts: Parts,
    listener: Listener,
    results: mpsc::Sender<Done>,
    /// Deliveries on their way, by origin.
    on_the_way: Arc<Mutex<HashMap<String, usize>>>,
    /// Origins of endpoints that were seen.
    origins: HashMap<String, String>,
    couriers: HashMap<Vec<String>, Arc<Courier>>,
}

/// A claim that will be sent.
struct Chosen {
    claimed: Claimed,
    endpoint: Endpoint,
    probe: bool,
}

impl Claimer {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut sending: JoinSet<()> = JoinSet::new();
        // Whether to look now, and whether to look when a delivery on its way has arrived.
        let (mut look, mut waits) = (true, false);
        while !*stop.borrow() {
            while sending.try_join_next().is_some() {}
            let free = self.parts.settings.in_flight.saturating_sub(sending.len());
            if look && free > 0 {
                // Many small claims cost more than one: what comes in between is claimed together.
                sleep(GATHER).await;
                match self.claim(free.min(BATCH)).await {
                    Ok((chosen, more)) => {
                        look = more && !chosen.is_empty();
                        waits = more;
                        self.send_all(chosen, &mut sending).await;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "no webhooks can be claimed");
                        sleep(AWAY).await;
                        look = true;
                    }
                }
                continue;
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => {}
                _ = self.listener.recv() => look = true,
                Some(_) = sending.join_next() => look |= waits,
                () = sleep(self.parts.settings.poll) => look = true,
            }
        }
        while sending.join_next().await.is_some() {}
    }

    /// Claims, and says what is sent and whether more may be due.
    async fn claim(&mut self, most: usize) -> Result<(Vec<Chosen>, bool), StoreError> {
        let Parts { db, settings, node, .. } = &self.parts;
        let now = (self.parts.clock)();
        let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
        if !deliveries::any_due_unscoped(&mut conn, now).await? {
            return Ok((Vec::new(), false));
        }
        drop(conn);
        let full = self.full();
        let lease = now + millis(settings.timeout + LEASE_MORE);
        let mut tx = db.begin().await?;
        let claimed =
            deliveries::claim_unscoped(&mut tx, node, most.try_into().unwrap_or(1), &full, lease, now)
                .await?;
        let more = claimed.len() == most || !full.is_empty();
        let ids: BTreeSet<&str> = claimed.iter().map(|claimed| claimed.endpoint_id.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let health = deliveries::health_unscoped(&mut tx, &ids).await?;
        let health: HashMap<String, Endpoint> =
            health.into_iter().map(|endpoint| (endpoint.id.to_string(), endpoint)).collect();
        let mut chosen = Vec::with_capacity(claimed.len());
        let (mut later, mut soon) = (Vec::new(), Vec::new());
        let mut probes: HashMap<String, bool> = HashMap::new();
        for claimed in claimed {
            let Some(endpoint) = health.get(&claimed.endpoint_id).cloned() else { continue };
            self.origins.insert(claimed.endpoint_id.clone(), endpoint.origin.clone());
            if endpoint.trips > 0 {
                // Its breaker tripped: one attempt tells whether it works again.
                let first = !probes.contains_key(&claimed.endpoint_id);
                if !first || !deliveries::probe_unscoped(&mut tx, &claimed.endpoint_id, lease, now).await? {
                    probes.entry(claimed.endpoint_id.clone()).or_insert(false);
                    later.push(claimed);
                    continue;
                }
                probes.insert(claimed.endpoint_id.clone(), true);
                self.enter(&endpoint.origin);
                chosen.push(Chosen { claimed, endpoint, probe: true });
            } else if self.is_full(&endpoint.origin) {
                soon.push(claimed);
            } else {
                self.enter(&endpoint.origin);
                chosen.push(Chosen { claimed, endpoint, probe: false });
            }
        }
        deliveries::release_unscoped(&mut tx, &tickets(&later), lease).await?;
        deliveries::release_unscoped(&mut tx, &tickets(&soon), now).await?;
        if let Err(error) = tx.commit().await {
            for one in &chosen {
                leave(&self.on_the_way, &one.endpoint.origin);
            }
            return Err(error.into());
        }
        let more = more || !soon.is_empty();
        // Endpoints come and go; what is known of them is only a hint.
        if self.origins.len() > 10_000 {
            self.origins.clear();
        }
        Ok((chosen, more))
    }

    /// Sends each in a task of its own.
    async fn send_all(&mut self, chosen: Vec<Chosen>, sending: &mut JoinSet<()>) {
        if chosen.is_empty() {
            return;
        }
        let mut opened = Vec::with_capacity(chosen.len());
        for one in chosen {
            let frozen = self.open(&one.claimed);
            opened.push((one, frozen));
        }
        let (owners, keys) = match self.look_up(&opened).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the secrets of webhooks cannot be looked up");
                self.give_back(opened.into_iter().map(|(one, _)| one).collect()).await;
                return;
            }
        };
        let none = Surroundings::default();
        for (one, frozen) in opened {
            let now = (self.parts.clock)();
            let surroundings = owners.get(&owner(&one.claimed)).unwrap_or(&none);
            let prepared = match &frozen {
                Ok(frozen) => send::prepare(&Letter {
                    claimed: &one.claimed,
                    frozen,
                    surroundings,
                    own_keys: keys.get(&one.claimed.org_id).map_or(&[], Vec::as_slice),
                    now,
                }),
                Err(outcome) => Err(outcome.clone()),
            };
            let prepared = prepared.and_then(|prepared| Ok((prepared, self.courier(surroundings)?)));
            let (results, on_the_way) = (self.results.clone(), Arc::clone(&self.on_the_way));
            let limit = self.parts.settings.timeout;
            sending.spawn(async move {
                let began = Instant::now();
                let outcome = match prepared {
                    Ok((prepared, courier)) => send::send(&courier, prepared, limit).await,
                    Err(outcome) => outcome,
                };
                leave(&on_the_way, &one.endpoint.origin);
                let Chosen { claimed, endpoint, probe } = one;
                let took = began.elapsed();
                // The writer lives as long as there are senders.
                let _ = results.send(Done { claimed, endpoint, outcome, probe, began: now, took }).await;
            });
        }
    }

    fn open(&self, claimed: &Claimed) -> Result<Frozen, Outcome> {
        let context = context(&claimed.org_id, &claimed.unique_key);
        let opened = self.parts.vault.open_bytes(&context, &claimed.sealed);
        let frozen = opened.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        // The key of the vault may come back: it is tried again.
        frozen.ok_or_else(|| Outcome::Failed {
            status: None,
            error: "the request cannot be opened: the key that sealed it is not here".to_owned(),
            next: Next::Retry(None),
        })
    }

    /// The secrets of all owners, and the keys of all organisations.
    #[allow(clippy::type_complexity)]
    async fn look_up(
        &self,
        opened: &[(Chosen, Result<Frozen, Outcome>)],
    ) -> Result<(HashMap<Owner, Surroundings>, HashMap<OrgId, Vec<SigningKey>>), StoreError> {
        let mut names: HashMap<Owner, BTreeSet<String>> = HashMap::new();
        let mut orgs: BTreeSet<OrgId> = BTreeSet::new();
        for (one, frozen) in opened {
            let Ok(frozen) = frozen else { continue };
            names.entry(owner(&one.claimed)).or_default().extend(send::secrets(frozen).map(str::to_owned));
            if frozen.sign.is_none() {
                orgs.insert(one.claimed.org_id.clone());
            }
        }
        let mut owners = HashMap::new();
        for (owner, names) in names {
            let names: Vec<String> = names.into_iter().collect();
            let found = self.parts.secrets.surroundings(&owner, &names).await?;
            owners.insert(owner, found);
        }
        let mut keys = HashMap::new();
        for org in orgs {
            let found =
                super::signing::keys(&self.parts.db, &self.parts.vault, &org, (self.parts.clock)()).await?;
            keys.insert(org, found);
        }
        Ok((owners, keys))
    }

    async fn give_back(&self, chosen: Vec<Chosen>) {
        let soon = (self.parts.clock)() + millis(AWAY);
        let mut claimed = Vec::with_capacity(chosen.len());
        for one in chosen {
            leave(&self.on_the_way, &one.endpoint.origin);
            claimed.push(one.claimed);
        }
        let given = async {
            let mut tx = self.parts.db.begin().await?;
            deliveries::release_unscoped(&mut tx, &tickets(&claimed), soon).await?;
            Ok::<_, StoreError>(tx.commit().await?)
        };
        // Their leases end by themselves.
        if let Err(error) = given.await {
            tracing::debug!(%error, "claims were not given back");
        }
    }

    /// One courier for each list of private addresses: it keeps its connections.
    fn courier(&mut self, surroundings: &Surroundings) -> Result<Arc<Courier>, Outcome> {
        let allowed = &surroundings.allow_private;
        if let Some(courier) = self.couriers.get(allowed) {
            return Ok(Arc::clone(courier));
        }
        let entries = self.parts.settings.allow_private.iter().chain(allowed);
        let client = Policy::parse(entries).and_then(Client::new);
        let client = client.map_err(|error| Outcome::Failed {
            status: None,
            error: error.message,
            next: Next::Retry(None),
        })?;
        if self.couriers.len() >= COURIERS {
            self.couriers.clear();
        }
        let courier = Arc::new(Courier::new(client));
        self.couriers.insert(allowed.clone(), Arc::clone(&courier));
        Ok(courier)
    }

    /// Endpoints whose host has as many on their way as it may.
    fn full(&self) -> Vec<String> {
        let busy = self.on_the_way.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |origin: &String| busy.get(origin).is_some_and(|n| *n >= self.parts.settings.per_host);
        if !busy.keys().any(full) {
            return Vec::new();
        }
        let ids = self.origins.iter().filter(|(_, origin)| full(origin)).map(|(id, _)| id.clone());
        ids.collect()
    }

    fn is_full(&self, origin: &str) -> bool {
        let busy = self.on_the_way.lock().unwrap_or_else(PoisonError::into_inner);
        busy.get(origin).is_some_and(|n| *n >= self.parts.settings.per_host)
    }

    fn enter(&self, origin: &str) {
        let mut busy = self.on_the_way.lock().unwrap_or_else(PoisonError::into_inner);
        *busy.entry(origin.to_owned()).or_default() += 1;
    }
}

fn leave(busy: &Mutex<HashMap<String, usize>>, origin: &str) {
    let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(count) = busy.get_mut(origin) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            busy.remove(origin);
        }
    }
}

fn owner(claimed: &Claimed) -> Owner {
    Owner { org: claimed.org_id.clone(), agent: claimed.agent.clone(), profile: claimed.profile.clone() }
}

fn tickets(claimed: &[Claimed]) -> Vec<Ticket<'_>> {
    claimed.iter().map(ticket).collect()
}

fn ticket(claimed: &Claimed) -> Ticket<'_> {
    Ticket { id: &claimed.id, fence: claimed.fence }
}

fn millis(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}

/// Writes results, all that are there in one transaction.
async fn write_results(parts: Parts, mut finished: mpsc::Receiver<Done>) {
    let mut batch = Vec::with_capacity(RESULTS);
    while finished.recv_many(&mut batch, RESULTS).await > 0 {
        for done in &batch {
            tell(done);
        }
        let end = Instant::now() + LEASE_MORE;
        loop {
            match write(&parts, &batch).await {
                Ok(()) => break,
                Err(error) if error.is_passing() && Instant::now() < end => {
                    tracing::warn!(%error, "results of webhooks cannot be written; trying again");
                    sleep(AWAY).await;
                }
                Err(error) => {
                    // Nothing is given up: their leases end, and they are sent again with their ids.
                    tracing::error!(%error, deliveries = batch.len(), "results of webhooks are lost");
                    break;
                }
            }
        }
        batch.clear();
    }
}

fn tell(done: &Done) {
    let Done { claimed, endpoint, outcome, took, .. } = done;
    let (result, error) = match outcome {
        Outcome::Delivered(_) => ("delivered", None),
        Outcome::Failed { next: Next::Retry(_), error, .. } => ("failed", Some(error)),
        Outcome::Failed { error, .. } => ("refused", Some(error)),
        Outcome::Parked { error, .. } => ("parked", Some(error)),
    };
    metrics::attempt(result, *took);
    if let Some(error) = error {
        tracing::info!(
            delivery = claimed.id,
            call = claimed.call_id,
            webhook = claimed.webhook,
            to = endpoint.origin,
            attempt = claimed.attempts + 1,
            result,
            error,
            "a webhook was not delivered"
        );
    }
}

async fn write(parts: &Parts, batch: &[Done]) -> Result<(), StoreError> {
    let now = (parts.clock)();
    let mut tx = parts.db.begin().await?;
    let mut delivered: HashMap<u16, Vec<Ticket<'_>>> = HashMap::new();
    let mut worked: BTreeSet<&str> = BTreeSet::new();
    for done in batch {
        if let Outcome::Delivered(status) = done.outcome {
            delivered.entry(status).or_default().push(ticket(&done.claimed));
            let endpoint = &done.endpoint;
            let quiet = endpoint.delivered_at.is_none_or(|at| at + HEALTHY_EVERY_MS < now);
            if done.probe || endpoint.failures > 0 || quiet {
                worked.insert(&done.claimed.endpoint_id);
            }
        }
    }
    for (status, tickets) in &delivered {
        deliveries::delivered_unscoped(&mut tx, tickets, i64::from(*status), now).await?;
    }
    for endpoint in worked {
        deliveries::recovered_unscoped(&mut tx, endpoint, now).await?;
    }
    for done in batch {
        write_failure(&mut tx, parts, done, now).await?;
    }
    Ok(tx.commit().await?)
}

async fn write_failure(
    conn: &mut dgh_store::Conn,
    parts: &Parts,
    done: &Done,
    now: i64,
) -> Result<(), StoreError> {
    let Done { claimed, outcome, probe, began, took, .. } = done;
    let ticket = ticket(claimed);
    let (status, error, next) = match outcome {
        Outcome::Delivered(_) => return Ok(()),
        Outcome::Parked { secret, error } => {
            let parked_for = format!("secret:{secret}");
            deliveries::park_unscoped(conn, &ticket, &parked_for, error).await?;
            return Ok(());
        }
        Outcome::Failed { status, error, next } => (status, error, next),
    };
    let number = claimed.attempts + 1;
    let attempt = Attempt {
        org: &claimed.org_id,
        number,
        at: *began,
        took_ms: millis(*took),
        status: status.map(i64::from),
        error,
    };
    let waited = Duration::from_millis((now - claimed.queued_at).max(0).unsigned_abs());
    let failed = u32::try_from(claimed.tries + 1).unwrap_or(u32::MAX);
    let pause = match next {
        Next::Retry(wish) => parts.settings.schedule.pause(failed, *wish, waited, &parts.jitter),
        Next::GiveUp | Next::Gone => None,
    };
    let ours = match pause {
        Some(pause) => deliveries::retry_unscoped(conn, &ticket, &attempt, now + millis(pause)).await?,
        None => {
            let ours = deliveries::dead_unscoped(conn, &ticket, &attempt, now).await?;
            if ours {
                metrics::dead();
                tracing::warn!(
                    delivery = claimed.id,
                    call = claimed.call_id,
                    webhook = claimed.webhook,
                    attempts = number,
                    error,
                    "a webhook is a dead letter"
                );
            }
            ours
        }
    };
    if !ours {
        return Ok(());
    }
    let id = &claimed.endpoint_id;
    match next {
        Next::Gone => deliveries::disable_unscoped(conn, id, "it answered 410 Gone", now).await?,
        Next::Retry(Some(wish)) => {
            let wish = (*wish).min(super::schedule::LONGEST_WISH);
            deliveries::pause_unscoped(conn, id, now + millis(wish)).await?;
        }
        Next::Retry(None) => {
            let breaker = parts.settings.breaker;
            let blocked = deliveries::failed_unscoped(conn, id, error, breaker, *probe, now).await?;
            if blocked.is_some_and(|until| until > now) {
                metrics::tripped();
            }
        }
        // It refuses this one, and works.
        Next::GiveUp if status.is_some() && (*probe || done.endpoint.failures > 0) => {
            deliveries::recovered_unscoped(conn, id, now).await?;
        }
        Next::GiveUp => {}
    }
    Ok(())
}
