//! Signing in, links, keys and members, on both databases.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_store::accounts::{keys as key_rows, members as member_rows, sessions, throttles, users};
use dgh_store::audit::{self, Actor, Filter};
use dgh_store::testing::on_both;
use dgh_store::{Db, OrgId, StoreError, UserId, idempotency};

use super::*;

const NOW: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const PASSWORD: &str = "correct horse battery";

async fn first(db: &Db) -> FirstOwner {
    let mut tx = db.begin().await.unwrap();
    let first = first_owner(&mut tx, "Owner@Example.org", Some(PASSWORD.to_owned()), NOW).await.unwrap();
    commit(tx).await.unwrap();
    first
}

async fn try_in(db: &Db, email: &str, password: &str, from: &str, now: i64) -> Result<SignedIn, AccessError> {
    let visitor = Visitor { address: Some(from.to_owned()), browser: Some("curl/8".to_owned()) };
    sign_in(db, email, password.to_owned(), &visitor, now).await
}

async fn who(db: &Db, token: &str, now: i64) -> Option<Identity> {
    identify(db, Presented::Session(token), now).await.unwrap()
}

async fn user_of(db: &Db, email: &str) -> UserId {
    let mut conn = db.read().acquire().await.unwrap();
    users::by_email_unscoped(&mut conn, email).await.unwrap().unwrap().user.id
}

/// Somebody who was invited and came.
async fn joins(db: &Db, org: &OrgId, email: &str, role: Role) -> SignedIn {
    let mut tx = db.begin().await.unwrap();
    let invited = invite(&mut tx, org, email, role, &Actor::server(), NOW).await.unwrap();
    commit(tx).await.unwrap();
    let new = Some(NewUser { name: "Kim".to_owned() });
    let accepted =
        accept(db, &invited.token, None, new, Some(PASSWORD.to_owned()), &Visitor::default(), NOW).await;
    match accepted.unwrap() {
        Accepted::SignedIn(signed_in) => signed_in,
        Accepted::Joined(_) => panic!("there was no session"),
    }
}

#[tokio::test]
async fn whoever_knows_the_password_gets_a_session_that_ends() {
    on_both(async |db| {
        let owner = first(&db).await;
        let begun = try_in(&db, " OWNER@example.org", PASSWORD, "192.0.2.1", NOW).await.unwrap();
        assert_eq!((&begun.identity.org, begun.identity.role), (&owner.org, Role::Owner));
        assert_eq!(who(&db, &begun.token, NOW).await.unwrap(), begun.identity);
        assert!(who(&db, &"0".repeat(40), NOW).await.is_none() && who(&db, "", NOW).await.is_none());
        assert!(who(&db, &begun.token, NOW + 6 * DAY).await.is_some());
        // It was used on the sixth day; that is written down by and by.
        let extended = async || {
            let mut conn = db.read().acquire().await.unwrap();
            sessions::of_user(&mut conn, begun.identity.user.as_ref().unwrap(), None, 9, NOW).await.unwrap()
                [0]
            .expires_at
        };
        while extended().await == NOW + sign_in::IDLE {
            tokio::task::yield_now().await;
        }
        assert_eq!(extended().await, NOW + 6 * DAY + sign_in::IDLE);
        assert!(who(&db, &begun.token, NOW + 14 * DAY).await.is_none(), "a week without use ends it");
        tidy(&db, NOW + 40 * DAY).await.unwrap();
        assert!(who(&db, &begun.token, NOW).await.is_none(), "what is over is forgotten");
    })
    .await;
}

#[tokio::test]
async fn guesses_are_slowed_down_for_accounts_that_exist_and_those_that_do_not() {
    on_both(async |db| {
        first(&db).await;
        for email in ["owner@example.org", "nobody@example.org"] {
            for guess in 0..5 {
                let failed = try_in(&db, email, "wrong", &format!("192.0.2.{guess}"), NOW).await;
                assert!(matches!(failed, Err(AccessError::WrongLogin)), "{email} {guess}: {failed:?}");
            }
            // The right one does not help either, until the pause is over.
            let throttled = try_in(&db, email, PASSWORD, "192.0.2.9", NOW).await;
            assert!(matches!(throttled, Err(AccessError::Throttled(1))), "{email}: {throttled:?}");
        }
        let begun = try_in(&db, "owner@example.org", PASSWORD, "192.0.2.9", NOW + MINUTE).await;
        assert!(begun.is_ok(), "{begun:?}");
        // Who succeeded starts anew.
        for _ in 0..4 {
            let failed = try_in(&db, "owner@example.org", "wrong", "192.0.2.9", NOW + MINUTE).await;
            assert!(matches!(failed, Err(AccessError::WrongLogin)));
        }
    })
    .await;
}

#[tokio::test]
async fn one_address_that_tries_many_accounts_is_slowed_down_too() {
    on_both(async |db| {
        first(&db).await;
        let mut blocked = None;
        for account in 0..40 {
            // What is counted is what is looked at; the hashing is not what is tested here.
            let attempt =
                throttle::begin(&db, &format!("{account}@example.org"), Some("192.0.2.1"), NOW).await;
            if let Err(AccessError::Throttled(_)) = attempt {
                blocked = Some(account);
                break;
            }
        }
        assert_eq!(blocked, Some(30));
        let owner = try_in(&db, "owner@example.org", PASSWORD, "192.0.2.1", NOW).await;
        assert!(matches!(owner, Err(AccessError::Throttled(_))), "from there nobody gets in");
        assert!(try_in(&db, "owner@example.org", PASSWORD, "192.0.2.2", NOW).await.is_ok());
        tidy(&db, NOW + 2 * DAY).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let forgotten = throttles::lock_unscoped(&mut tx, "address:192.0.2.1", NOW + 2 * DAY).await.unwrap();
        assert_eq!(forgotten.failures, 0);
    })
    .await;
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    on_both(async |db| {
        let owner = first(&db).await;
        let here = try_in(&db, &owner.email, PASSWORD, "192.0.2.1", NOW).await.unwrap();
        let there = try_in(&db, &owner.email, PASSWORD, "192.0.2.2", NOW).await.unwrap();
        let (user, session) = (here.identity.user.clone().unwrap(), here.identity.session.clone().unwrap());
        let change = async |current: &str, new: &str| {
            let (current, new) = (current.to_owned(), new.to_owned());
            let place = OwnPlace { org: &owner.org, user: &user, session: &session };
            change_password(&db, &place, current, new, &Actor::server(), NOW).await
        };
        let new = "staple battery horse";
        assert!(matches!(change("wrong", new).await, Err(AccessError::WrongPassword)));
        assert!(matches!(
            change(PASSWORD, "short").await,
            Err(AccessError::Invalid { field: "password", .. })
        ));
        change(PASSWORD, new).await.unwrap();
        assert!(who(&db, &here.token, NOW).await.is_some() && who(&db, &there.token, NOW).await.is_none());
        assert!(try_in(&db, &owner.email, PASSWORD, "192.0.2.1", NOW).await.is_err());
        let reset = reset_password_unscoped(&db, &owner.email, NOW).await.unwrap();
        assert!(who(&db, &here.token, NOW).await.is_none(), "a reset ends all of them");
        assert!(try_in(&db, &owner.email, &reset, "192.0.2.1", NOW).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_link_makes_one_member_once() {
    on_both(async |db| {
        let owner = first(&db).await;
        let invite_now = async |email: &str| {
            let mut tx = db.begin().await.unwrap();
            let invited = invite(&mut tx, &owner.org, email, Role::Editor, &Actor::server(), NOW).await;
            commit(tx).await.unwrap();
            invited
        };
        let member = invite_now("owner@example.org").await;
        assert!(matches!(member, Err(AccessError::AlreadyMember)));
        let older = invite_now("kim@example.org").await.unwrap().token;
        let token = invite_now("KIM@example.org").await.unwrap().token;
        assert!(
            matches!(look(&db, &older, NOW).await, Err(AccessError::InviteGone)),
            "a newer link replaces it"
        );
        let late = look(&db, &token, NOW + 8 * DAY).await;
        assert!(matches!(late, Err(AccessError::InviteGone)), "a week later it is over");
        let (seen, org, account) = look(&db, &token, NOW).await.unwrap();
        assert_eq!((seen.email.as_str(), org.name.as_str(), account), ("kim@example.org", "Home", false));
        let try_accept = async |password: &str| {
            let new = Some(NewUser { name: "Kim".to_owned() });
            accept(&db, &token, None, new, Some(password.to_owned()), &Visitor::default(), NOW).await
        };
        assert!(matches!(try_accept("short").await, Err(AccessError::Invalid { field: "password", .. })));
        let (one, two) = tokio::join!(try_accept(PASSWORD), try_accept(PASSWORD));
        assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1, "{one:?} {two:?}");
        assert!(matches!(try_accept(PASSWORD).await, Err(AccessError::InviteGone)));
        // Who has an account joins another organisation with its password, or as who is signed in.
        let other = {
            let mut tx = db.begin().await.unwrap();
            let owner = user_of(&db, "owner@example.org").await;
            let other = new_org(&mut tx, "Other", &owner, &Actor::server(), NOW).await.unwrap();
            commit(tx).await.unwrap();
            other.id
        };
        let mut tx = db.begin().await.unwrap();
        let invited =
            invite(&mut tx, &other, "kim@example.org", Role::Viewer, &Actor::server(), NOW).await.unwrap();
        commit(tx).await.unwrap();
        let none = accept(&db, &invited.token, None, None, None, &Visitor::default(), NOW).await;
        assert!(matches!(none, Err(AccessError::SignInFirst)));
        let wrong =
            accept(&db, &invited.token, None, None, Some("wrong".into()), &Visitor::default(), NOW).await;
        assert!(matches!(wrong, Err(AccessError::WrongLogin)));
        let kim = try_in(&db, "kim@example.org", PASSWORD, "192.0.2.1", NOW).await.unwrap().identity;
        let joined =
            accept(&db, &invited.token, Some(&kim), None, None, &Visitor::default(), NOW).await.unwrap();
        assert!(matches!(joined, Accepted::Joined(org) if org == other));
    })
    .await;
}

#[tokio::test]
async fn the_last_owner_stays_and_whoever_goes_takes_their_keys_along() {
    on_both(async |db| {
        let owner = first(&db).await;
        let (org, by) = (&owner.org, Actor::server());
        let me = user_of(&db, &owner.email).await;
        let mut tx = db.begin().await.unwrap();
        let leave = remove_member(&mut tx, org, &me, false, &by, NOW).await;
        assert!(matches!(leave, Err(AccessError::LastOwner)), "{leave:?}");
        assert!(matches!(
            set_role(&mut tx, org, &me, Role::Viewer, &by, NOW).await,
            Err(AccessError::LastOwner)
        ));
        set_role(&mut tx, org, &me, Role::Owner, &by, NOW).await.unwrap();
        drop(tx);
        let kim = joins(&db, org, "kim@example.org", Role::Owner).await;
        let mut tx = db.begin().await.unwrap();
        let new = NewKey { name: "k".into(), role: Role::Editor, scopes: Scopes::ALL, expires_at: None };
        let made = make_key(&mut tx, &kim.identity, new, &by, NOW).await.unwrap();
        commit(tx).await.unwrap();
        let opens = async || identify(&db, Presented::Key(&made.secret), NOW).await.unwrap().is_some();
        assert!(opens().await && who(&db, &kim.token, NOW).await.is_some());
        let mut tx = db.begin().await.unwrap();
        let gone = remove_member(&mut tx, org, kim.identity.user.as_ref().unwrap(), false, &by, NOW).await;
        assert_eq!(gone.unwrap(), Removed { keys: 1 });
        assert!(member_rows::get(&mut tx, org, kim.identity.user.as_ref().unwrap()).await.is_err());
        commit(tx).await.unwrap();
        assert!(!opens().await && who(&db, &kim.token, NOW).await.is_none());
        assert!(identify(&db, Presented::Key(&owner.key), NOW).await.unwrap().is_some());
        let gone = try_in(&db, "kim@example.org", PASSWORD, "192.0.2.1", NOW).await;
        assert!(matches!(gone, Err(AccessError::NoOrganisation)), "{gone:?}");
    })
    .await;
}

#[tokio::test]
async fn two_owners_who_leave_at_once_do_not_both_leave() {
    on_both(async |db| {
        let owner = first(&db).await;
        let kim = joins(&db, &owner.org, "kim@example.org", Role::Owner).await.identity.user.unwrap();
        let me = user_of(&db, &owner.email).await;
        let leave = async |user: UserId| {
            let mut tx = db.begin().await.unwrap();
            let left = remove_member(&mut tx, &owner.org, &user, false, &Actor::server(), NOW).await;
            commit(tx).await.unwrap();
            left.is_ok()
        };
        let (one, two) = tokio::join!(leave(me), leave(kim));
        assert!(one ^ two, "one of them stays");
    })
    .await;
}

#[tokio::test]
async fn a_key_does_what_it_was_made_for_until_it_is_over() {
    on_both(async |db| {
        let owner = first(&db).await;
        let by = Actor::server();
        let maker = identify(&db, Presented::Key(&owner.key), NOW).await.unwrap().unwrap();
        let scopes: Scopes = [Scope::CallsRead].into_iter().collect();
        let new = |role, scopes, expires_at| NewKey { name: " CRM ".into(), role, scopes, expires_at };
        let mut tx = db.begin().await.unwrap();
        let made =
            make_key(&mut tx, &maker, new(Role::Editor, scopes, Some(NOW + DAY)), &by, NOW).await.unwrap();
        let over = make_key(&mut tx, &maker, new(Role::Editor, scopes, Some(NOW)), &by, NOW).await;
        assert!(matches!(over, Err(AccessError::Invalid { field: "expires_at", .. })));
        commit(tx).await.unwrap();
        let seen = identify(&db, Presented::Key(&made.secret), NOW).await.unwrap().unwrap();
        assert_eq!((seen.role, seen.scopes, seen.user.clone()), (Role::Editor, scopes, None));
        assert!(identify(&db, Presented::Key(&made.secret), NOW + DAY).await.unwrap().is_none(), "over");
        let mut tx = db.begin().await.unwrap();
        for more in [new(Role::Owner, scopes, None), new(Role::Viewer, Scopes::ALL, None)] {
            let refused = make_key(&mut tx, &seen, more, &by, NOW).await;
            assert!(matches!(refused, Err(AccessError::MoreThanOwn)), "{refused:?}");
        }
        let mine = user_of(&db, &owner.email).await;
        let grandchild = make_key(&mut tx, &seen, new(Role::Viewer, scopes, None), &by, NOW).await.unwrap();
        assert_eq!(grandchild.key.created_by, Some(mine), "what a key makes belongs to its maker's maker");
        for _ in 0..2 {
            revoke_key(&mut tx, &owner.org, &made.key.id, &by, NOW).await.unwrap();
        }
        let other = revoke_key(&mut tx, &OrgId::fresh(), &grandchild.key.id, &by, NOW).await;
        assert!(matches!(other, Err(StoreError::NotFound { .. })));
        commit(tx).await.unwrap();
        assert!(identify(&db, Presented::Key(&made.secret), NOW).await.unwrap().is_none(), "revoked");
        let used = async || {
            let mut conn = db.read().acquire().await.unwrap();
            key_rows::get(&mut conn, &owner.org, maker.key.as_ref().unwrap()).await.unwrap().used_at
        };
        while used().await.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(used().await, Some(NOW));
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_tells_who_did_what_in_pages() {
    on_both(async |db| {
        let owner = first(&db).await;
        let kim = Actor { user: Some(UserId::fresh()), key: None, address: Some("192.0.2.1".into()) };
        let mut tx = db.begin().await.unwrap();
        for at in 0..5 {
            let detail = serde_json::json!({ "at": at });
            audit::write(&mut tx, &owner.org, &kim, "thing.update", "t1", &detail, NOW + at).await.unwrap();
        }
        let list = async |tx: &mut dgh_store::Tx, filter: Filter, after: Option<&str>| {
            audit::list(tx, &owner.org, &filter, after, 3).await.unwrap()
        };
        let things = Filter { action: Some("thing.".into()), ..Filter::default() };
        let page = list(&mut tx, things.clone(), None).await;
        assert_eq!(page.iter().map(|entry| entry.at - NOW).collect::<Vec<_>>(), [4, 3, 2]);
        let rest = list(&mut tx, things, Some(page[2].id.as_str())).await;
        assert_eq!(rest.iter().map(|entry| &entry.detail.0["at"]).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(rest[0].by, kim);
        for (filter, count) in [
            (Filter { action: Some("thing.up".into()), ..Filter::default() }, 0),
            (
                Filter {
                    user: kim.user.as_ref().map(ToString::to_string),
                    to: Some(NOW + 2),
                    ..Filter::default()
                },
                2,
            ),
            (Filter { subject: Some("t1".into()), from: Some(NOW + 4), ..Filter::default() }, 1),
            (Filter { action: Some("org.create".into()), ..Filter::default() }, 1),
        ] {
            assert_eq!(list(&mut tx, filter.clone(), None).await.len(), count, "{filter:?}");
        }
        let other = audit::list(&mut tx, &OrgId::fresh(), &Filter::default(), None, 9).await.unwrap();
        assert!(other.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_kept_with_what_it_is_about_or_not_at_all() {
    on_both(async |db| {
        let org = first(&db).await.org;
        let mut tx = db.begin().await.unwrap();
        idempotency::claim(&mut tx, &org, "k", "request", NOW, NOW + DAY).await.unwrap();
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        idempotency::claim(&mut tx, &org, "k", "request", NOW, NOW + DAY).await.unwrap();
        idempotency::answer(&mut tx, &org, "k", 201, "sealed").await.unwrap();
        commit(tx).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let again = idempotency::claim(&mut tx, &org, "k", "request", NOW, NOW + DAY).await;
        assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        let kept = idempotency::get(&mut tx, &org, "k").await.unwrap().unwrap();
        assert_eq!((kept.request.as_str(), kept.status, kept.answer.as_str()), ("request", 201, "sealed"));
        idempotency::claim(&mut tx, &org, "k", "later", NOW + DAY, NOW + 2 * DAY).await.unwrap();
        assert_eq!(idempotency::get(&mut tx, &org, "k").await.unwrap(), None);
    })
    .await;
}
