<?php
// Webmail of two.example.
$config['trusted_host_patterns'] = ['^webmail\\.two\\.example$'];
// Only addresses of this site log in here. One typed without a domain, or with an alias of the
// site's domain, is taken as an address of its own domain: one person has one set of settings.
$config['login_username_filter'] = '/^[^@\\s]+(?:@(?:two\\.example))?$/Di';
$config['username_domain'] = 'two.example';
$config['username_domain_forced'] = true;
$config['product_name'] = 'two.example';
