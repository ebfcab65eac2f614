-- Fills all tables of an SQLite database with rows for :users users, whose values need care. Nothing in the rows can be used to sign in.
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TEMP TABLE numbers AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :users) SELECT n, randomblob(16) AS id FROM n;
CREATE TEMP TABLE texts (n, text);
INSERT INTO texts VALUES (0, NULL), (1, ''), (2, 'Ada'), (3, 'Áda, "the" first''s'), (4, '\N;\'), (5, char(128512, 8205, 127752)), (6, ' ' || char(9, 10, 13) || ' '), (7, '%_~|@'), (8, 'Ω≈ç√ 漢字 עברית'), (9, 'e' || char(769));
CREATE TEMP TABLE times (n, time);
INSERT INTO times VALUES (0, NULL), (1, '2026-01-31T12:34:56.789123+00:00'), (2, '2026-01-31T12:34:56+00:00'), (3, '1970-01-01T00:00:00.000001+00:00'), (4, '2100-12-31T23:59:59.999999+00:00'), (5, '2026-03-29T02:30:00.500+00:00'), (6, '2026-01-31 12:34:56+00:00');
INSERT INTO users (id, username, username_key, email, email_key, password_hash, first_name, last_name, is_active, roles, created_at, updated_at, last_login_at, email_verified_at, pending_email, pending_email_key, session_epoch, pending_email_id, pending_email_expires_at, never_verified_since, is_self_registered, has_password)
  SELECT id, 'User' || numbers.n, 'user' || numbers.n, iif(numbers.n % 5, 'User' || numbers.n || '@Example.org', NULL), iif(numbers.n % 5, 'user' || numbers.n || '@example.org', NULL), '$2b$10$' || hex(randomblob(26)) || 'x', f.text, l.text, numbers.n % 7 > 0, iif(numbers.n % 2, 'user', ''),
  '2026-01-31T12:34:56.' || printf('%06d', numbers.n % 1000000) || '+00:00', '2026-01-31T12:34:56+00:00', t.time, t.time, f.text, f.text, numbers.n % 3, iif(numbers.n % 11, NULL, randomblob(16)), t.time, t.time, numbers.n % 2, numbers.n % 3 > 0
  FROM numbers JOIN texts f ON f.n = numbers.n % 10 JOIN texts l ON l.n = numbers.n / 10 % 10 JOIN times t ON t.n = numbers.n % 7;
INSERT INTO user_roles (user_id, role, created_at) SELECT id, 'user', '2026-01-31T12:34:56.789123+00:00' FROM numbers WHERE n % 2;
INSERT INTO user_words (user_id, word) SELECT id, CAST('user' || n AS BLOB) FROM numbers UNION ALL SELECT id, x'c3a1646100ff' FROM numbers UNION ALL SELECT id, CAST(char(128512) AS BLOB) FROM numbers;
INSERT INTO sessions (id, user_id, generation, user_agent, ip_address, created_at, last_used_at, expires_at, revoked_at, rotated_at, confirmed_generation, repeated_at, delivery, epoch, predecessor, burnt, authenticated_at, amr, second_factor_at)
  SELECT randomblob(16), id, numbers.n % 9 - 1, 'Mozilla/5.0 ' || coalesce(f.text, ''), '2001:db8::' || (numbers.n % 9999), '2026-01-31T12:34:56.789123+00:00', '2026-01-31T12:34:56+00:00', '2099-01-31T12:34:56.5+00:00', t.time, t.time, numbers.n % 9, t.time, iif(numbers.n % 2, 'COOKIE', 'BODY'), numbers.n % 3, iif(numbers.n % 2, numbers.n, NULL), iif(numbers.n % 5, '', '1-3@1790000000'), t.time, 'pwd', t.time
  FROM numbers JOIN texts f ON f.n = numbers.n % 10 JOIN times t ON t.n = numbers.n % 7;
INSERT INTO audit_log (id, at, action, actor_type, actor_id, user_id, ip_address, user_agent, details)
  SELECT randomblob(16), '2026-01-31T12:34:56.789123+00:00', 'LOGIN_SUCCEEDED', 'USER', id, id, '192.0.2.1', text, iif(numbers.n % 4, NULL, '{"reason":"' || printf('%.*c', 400, 'x') || '"}') FROM numbers JOIN texts ON texts.n = numbers.n % 10
  UNION ALL SELECT randomblob(16), '2026-01-31T12:34:56+00:00', 'USER_CREATED', 'COMMAND_LINE', NULL, randomblob(16), NULL, NULL, NULL FROM numbers;
INSERT INTO throttles (id, identifier_id, attempts, full_windows, blocked_until, familiar_until, expires_at)
  SELECT randomblob(16), iif(numbers.n % 3, id, NULL), iif(numbers.n % 4, randomblob(8 * (numbers.n % 20)), x''), numbers.n % 5, time, time, '2099-01-31T12:34:56.5+00:00' FROM numbers JOIN times ON times.n = numbers.n % 7 WHERE numbers.n % 2;
INSERT INTO links (id, user_id, purpose, token_hash, email_key, created_at, expires_at, pending_email_id, used_at)
  SELECT randomblob(16), id, 'VERIFY_EMAIL', hex(randomblob(32)), 'user@example.org', '2026-01-31T12:34:56.789123+00:00', '2099-01-31T12:34:56.5+00:00', iif(numbers.n % 2, NULL, id), time FROM numbers JOIN times ON times.n = numbers.n % 7 WHERE numbers.n % 4 = 0;
INSERT INTO invitations (id, email, email_key, roles, invited_by, created_at, expires_at)
  SELECT id, 'Guest' || n || '@example.org', 'guest' || n || '@example.org', 'user', iif(n % 3, id, NULL), '2026-01-31T12:34:56.789123+00:00', '2099-01-31T12:34:56.5+00:00' FROM numbers WHERE n % 20 = 0;
INSERT INTO invitation_links (id, invitation_id, token_hash) SELECT randomblob(16), id, hex(randomblob(32)) FROM numbers WHERE n % 20 = 0;
INSERT INTO mails (id, purpose, email, email_key, language, user_id, ip_address, user_agent, created_at, next_attempt_at, attempts, round, pending_email_id, invitation_id)
  SELECT randomblob(16), 'VERIFY_EMAIL', 'User@example.org', 'user@example.org', iif(n % 2, 'en', 'ru'), id, '192.0.2.1', 'agent', '2026-01-31T12:34:56.789123+00:00', '2099-01-31T12:34:56.5+00:00', n % 5, n % 3, iif(n % 2, NULL, id), iif(n % 8, NULL, id) FROM numbers WHERE n % 4 = 0;
INSERT INTO totp_factors (user_id, sealed_secret, key_id, created_at, confirmed_at, expires_at, last_step)
  SELECT id, randomblob(60), 'key', '2026-01-31T12:34:56.789123+00:00', time, time, iif(numbers.n % 2, 9007199254740993, NULL) FROM numbers JOIN times ON times.n = numbers.n % 7 WHERE numbers.n % 3 = 0;
INSERT INTO passkeys (id, user_id, credential_id, credential_hash, public_key, counter, is_backup_eligible, is_backed_up, transports, aaguid, name, created_at, last_used_at)
  SELECT randomblob(16), id, randomblob(iif(numbers.n % 50, 32, 1023)), hex(randomblob(32)), randomblob(77), 4294967295 - numbers.n, numbers.n % 2, numbers.n % 3 = 0, 'internal hybrid', zeroblob(16), coalesce(text, 'Key'), '2026-01-31T12:34:56.789123+00:00', time FROM numbers JOIN times ON times.n = numbers.n % 7 JOIN texts ON texts.n = numbers.n % 10 WHERE numbers.n % 3 = 1;
INSERT INTO spent_challenges (nonce, expires_at) SELECT randomblob(16), '2099-01-31T12:34:56.5+00:00' FROM numbers WHERE n % 2;
INSERT INTO recovery_codes (user_id, code_hash, created_at) SELECT id, hex(randomblob(32)), '2026-01-31T12:34:56+00:00' FROM numbers UNION ALL SELECT id, lower(hex(randomblob(32))), '2026-01-31T12:34:56+00:00' FROM numbers;
INSERT INTO mfa_challenges (id, token_hash, user_id, epoch, amr, delivery, client_hash, created_at, expires_at, attempts)
  SELECT randomblob(16), hex(randomblob(32)), id, 0, 'pwd', 'BODY', iif(n % 40, NULL, hex(randomblob(32))), '2026-01-31T12:34:56+00:00', '2099-01-31T12:34:56.5+00:00', 1 FROM numbers WHERE n % 20 = 0;
INSERT INTO remembered_devices (id, user_id, token_hash, user_agent, created_at, last_used_at, expires_at)
  SELECT randomblob(16), id, hex(randomblob(32)), 'agent', '2026-01-31T12:34:56+00:00', '2026-01-31T12:34:56.1+00:00', '2099-01-31T12:34:56.5+00:00' FROM numbers WHERE n % 10 = 0;
INSERT INTO email_sign_ins (id, email_key, code_challenge, user_id, token_hash, code_hash, attempts, created_at, expires_at)
  SELECT randomblob(16), 'user@example.org', hex(randomblob(16)), iif(n % 20, NULL, id), hex(randomblob(32)), hex(randomblob(32)), 0, '2026-01-31T12:34:56+00:00', '2099-01-31T12:34:56.5+00:00' FROM numbers WHERE n % 10 = 0;
INSERT INTO identities (id, user_id, provider_id, issuer, subject, identity_hash, email, linked_at, last_used_at)
  SELECT randomblob(16), id, 'acme', 'https://id.example.org', 'Subject ' || n, hex(randomblob(32)), NULL, '2026-01-31T12:34:56+00:00', NULL FROM numbers WHERE n % 3 = 0;
INSERT INTO provider_logins (id, code_hash, code_challenge, provider_id, issuer, subject, email, is_email_trusted, username, full_name, first_name, last_name, user_id, session_id, created_at, expires_at)
  SELECT randomblob(16), hex(randomblob(32)), hex(randomblob(16)), 'acme', 'https://id.example.org', 'Subject ' || numbers.n, text, numbers.n % 40 = 0, text, text, text, text, id, NULL, '2026-01-31T12:34:56+00:00', '2099-01-31T12:34:56.5+00:00' FROM numbers JOIN texts ON texts.n = numbers.n % 10 WHERE numbers.n % 20 = 0;
COMMIT;
