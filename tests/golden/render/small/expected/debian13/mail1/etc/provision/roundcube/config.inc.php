<?php
// Roundcube of mail1.small.example: what every site shares. What differs stands in webmail.SITE.inc.php.
// Meanings: /etc/roundcube/defaults.inc.php. Reasons: the CVE named, or the line above a setting.
$config = [];
require __DIR__ . '/key.inc.php';

// A name without a file of its own logs nobody in.
$config['include_host_config'] = true;
$config['login_username_filter'] = '/(?!)/';
$config['trusted_host_patterns'] = ['^$'];
$config['proxy_whitelist'] = [];

$config['db_dsnw'] = 'sqlite:////var/lib/provision-webmail/roundcube.sqlite?mode=0600';
$config['temp_dir'] = $config['log_dir'] = '/var/lib/provision-webmail/temp';
$config['mime_types'] = '/etc/roundcube/mimetypes.php';

// This host's own Dovecot and Postfix, over TLS that must show this host's name.
$config['imap_host'] = 'ssl://127.0.0.1:993';
$config['smtp_host'] = 'ssl://127.0.0.1:465';
$config['smtp_user'] = '%u';
$config['smtp_pass'] = '%p';
$config['smtp_helo_host'] = 'mail1.small.example';
$config['smtp_timeout'] = 60;
$config['managesieve_host'] = 'tls://127.0.0.1:4190';
$config['imap_conn_options'] = $config['smtp_conn_options'] = $config['managesieve_conn_options'] = [
    'ssl' => [
        'verify_peer' => true,
        'verify_peer_name' => true,
        'peer_name' => 'mail1.small.example',
        'cafile' => '/etc/provision/tls/trust.crt',
        'capath' => '/etc/ssl/certs',
        'verify_depth' => 5,
        'SNI_enabled' => true,
    ],
];
$config['imap_vendor'] = 'dovecot';

// https://nvd.nist.gov/vuln/detail/CVE-2026-35537 and CVE-2026-48847: sessions in redis or
// memcache; CVE-2026-126813: the messages cache.
$config['session_storage'] = 'db';
$config['messages_cache'] = false;
$config['imap_cache'] = null;
// CVE-2026-114727, CVE-2026-114723: programs for pictures.
$config['im_convert_path'] = null;
$config['im_identify_path'] = null;
$config['enable_spellcheck'] = false;
$config['enable_installer'] = false;
$config['cipher_method'] = 'AES-256-GCM';

$config['use_https'] = true;
$config['session_samesite'] = 'Strict';
$config['session_lifetime'] = 60;
$config['login_rate_limit'] = 3;
$config['login_password_maxlen'] = 512;
$config['login_lc'] = 2;
$config['auto_create_user'] = true;
$config['log_driver'] = 'syslog';
$config['syslog_id'] = 'roundcube';
$config['log_logins'] = true;
$config['log_session_id'] = 0;
$config['show_images'] = 0;
$config['max_recipients'] = 100;
$config['max_message_size'] = 52428800;
$config['useragent'] = 'Roundcube Webmail';
$config['http_received_header'] = false;
$config['support_url'] = '';
$config['display_product_info'] = 1;

// The rest of the plugins stay off: virtuser_query (CVE-2026-48842), markasjunk (CVE-2026-74997).
$config['plugins'] = ['archive', 'managesieve', 'zipdownload'];
$config['managesieve_default'] = '';
$config['managesieve_vacation'] = 1;
$config['skin'] = 'elastic';
$config['skins_allowed'] = ['elastic'];
