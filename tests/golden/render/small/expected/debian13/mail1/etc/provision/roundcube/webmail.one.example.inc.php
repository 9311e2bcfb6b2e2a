<?php
// Webmail of one.example.
$config['trusted_host_patterns'] = ['^webmail\\.one\\.example$'];
// Only addresses of this site log in here. One typed without a domain, or with an alias of the
// site's domain, is taken as an address of its own domain: one person has one set of settings.
$config['login_username_filter'] = '/^[^@\\s]+(?:@(?:one\\.example|one\\.test))?$/Di';
$config['username_domain'] = 'one.example';
$config['username_domain_forced'] = true;
$config['product_name'] = 'One\'s <Mail> "$1" {{ 7*7 }} \'); system(\'id\'); //';
