/** Our own company: who sends the invoices. */

import { phrases } from './phrases';

export const company = phrases({
  'company.lead': {
    en: 'This stands on invoices and credit notes. What was sent keeps what stood on it.',
    de: 'Das steht auf Rechnungen und Gutschriften. Was versandt ist, behält, was darauf stand.',
  },
  'company.readonly': { en: 'An administrator changes it.', de: 'Die Administration ändert es.' },
  'company.sender': { en: 'Sender', de: 'Absender' },
  'company.bank_details': { en: 'Bank', de: 'Bankverbindung' },
  'company.registers': { en: 'Tax and register', de: 'Steuer und Register' },
  'company.name': { en: 'Name', de: 'Name' },
  'company.street': { en: 'Street', de: 'Straße' },
  'company.postalCode': { en: 'Postal code', de: 'Postleitzahl' },
  'company.city': { en: 'City', de: 'Ort' },
  'company.country': { en: 'Country', de: 'Land' },
  'company.country.hint': { en: 'Two letters, such as DE', de: 'Zwei Buchstaben, etwa DE' },
  'company.vatId': { en: 'VAT id', de: 'USt-IdNr.' },
  'company.taxNumber': { en: 'Tax number', de: 'Steuernummer' },
  'company.iban': { en: 'IBAN', de: 'IBAN' },
  'company.bic': { en: 'BIC', de: 'BIC' },
  'company.bank': { en: 'Bank', de: 'Bank' },
  'company.email': { en: 'E-mail', de: 'E-Mail' },
  'company.phone': { en: 'Phone', de: 'Telefon' },
  'company.tradeRegister': { en: 'Trade register', de: 'Handelsregister' },
});
