<?php
// Roundcube looks for its defaults beside config.inc.php; the package keeps them here.
require '/etc/roundcube/defaults.inc.php';
